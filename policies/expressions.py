"""Rules, rewards and filters: CEL over the values of one decision, on doubles only.

- Every number is a double, whole ones included: `click + 1`, `1 / 2 == 0.5`. A whole number alone in brackets after a
  list is a place in it: `interests[0]`.
- A flag is true or false and never a number: `flag ? 0.02 : 0`, not `0.02 * flag`, which is an error.
- `min` and `max` (two or more numbers), `clip(x, low, high)`, `log1p(x)`, `size(text or list)`, `present(name)`;
  on texts `contains`, `startsWith`, `endsWith`, `matches` (regular expressions without backtracking); on lists `in`,
  `exists`, `all`, `exists_one`, `filter`. What has no answer is NaN, as in IEEE 754: `log1p(-2)`, `clip(x, 1, 0)`.
- A test on an absent key is false, as in SQL: neither `country == 'ES'` nor `country != 'ES'` holds without a country,
  nor does the negation of either; `present(country)` asks. What another part settles is settled:
  `country == 'ES' || orders > 10` holds for eleven orders from nowhere.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import cel

from policies.expression_text import (
    FUNCTIONS,
    METHODS,
    CelText,
    ExpressionError,
    complain,
    function_variable,
    is_name,
    present_variable,
    read,
)

__all__ = [
    "FUNCTIONS",
    "METHODS",
    "AbsentValue",
    "Expression",
    "ExpressionError",
    "Verdict",
    "compile_expression",
    "is_name",
]

_ENGINE_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?(.*)")
_UNDEFINED = re.compile(r"Undefined variable or function: '(\w+)'")
_CALL = re.compile(r"^Function '\w+' error: (Python function call failed: \w+: )?")
_INTERRUPTED = re.compile(r"Function '\w+' error: Python function call failed: KeyboardInterrupt")


class AbsentValue(ExpressionError):
    """The answer depends on names that have no value."""

    def __init__(self, source: str, names: tuple[str, ...]) -> None:
        super().__init__(f"{source!r}: no value for {', '.join(map(repr, names))}")
        self.names = names


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test said. `absent`: the names without which it could not be answered; it is false then."""

    holds: bool
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. Immutable, with no state of its own: any number of threads may use one at once.

    Values are texts, numbers, flags and lists or tuples of texts; None is absent. Names that it does not read are
    not looked at.
    """

    source: str
    names: frozenset[str]
    """Every name in it, also those that are only asked about by `present`."""
    _program: cel.Program
    _reads: tuple[str, ...]
    _asks: tuple[tuple[str, str], ...]
    _functions: Mapping[str, Callable[..., Any]]

    def evaluate(self, values: Mapping[str, Any]) -> bool | float | str:
        """The answer for these values. Raises AbsentValue, and ExpressionError for values of the wrong kind."""
        bound: dict[str, Any] = {**self._functions}
        for name in self._reads:
            value = values.get(name)
            if value is not None:
                bound[name] = value if type(value) in _AS_IT_IS else self._converted(name, value)
        for name, variable in self._asks:
            bound[variable] = values.get(name) is not None
        try:
            answer = self._program.execute(bound)
        except Exception as error:
            raise self._failure(error, bound) from error
        except BaseException as error:
            # a panic of the engine reaches Python as a BaseException, as an interrupt of the user does
            if not _is_panic(error):
                raise
            raise ExpressionError(f"{self.source!r}: the expression engine failed: {error}") from error
        if isinstance(answer, (bool, float, str)):
            return answer
        raise ExpressionError(f"{self.source!r} gave {answer!r}: expected a number, a text, true or false")

    def number(self, values: Mapping[str, Any]) -> float:
        """The answer as a finite number. Raises ExpressionError for any other."""
        answer = self.evaluate(values)
        if isinstance(answer, float) and math.isfinite(answer):
            return answer
        raise ExpressionError(f"{self.source!r} gave {_shown(answer)}{self._given(values)}: expected a finite number")

    def test(self, values: Mapping[str, Any]) -> Verdict:
        """The answer as a test: false where it depends on an absent value, which is told.

        Raises ExpressionError for an answer that is neither true nor false, and for values of the wrong kind.
        """
        try:
            answer = self.evaluate(values)
        except AbsentValue as absent:
            return Verdict(holds=False, absent=absent.names)
        if isinstance(answer, bool):
            return Verdict(holds=answer)
        raise ExpressionError(f"{self.source!r} gave {_shown(answer)}{self._given(values)}: expected true or false")

    def _converted(self, name: str, value: Any) -> Any:
        if isinstance(value, (bool, float, int)):
            try:
                return bool(value) if isinstance(value, bool) else float(value)
            except OverflowError as error:
                raise ExpressionError(f"{self.source!r}: {name!r} is a number beyond 1.8e308") from error
        if isinstance(value, str):
            return str(value)
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return list(value)
        raise ExpressionError(
            f"{self.source!r}: {name!r} is {value!r}: expected a text, a number, a flag or a list of texts"
        )

    def _failure(self, error: Exception, bound: Mapping[str, Any]) -> BaseException:
        """What to raise for what the engine raised."""
        message = str(error)
        if _INTERRUPTED.match(message):
            # the engine turns an interrupt inside one of our functions into an ordinary error
            return KeyboardInterrupt()
        if absent := tuple(name for name in self._reads if name not in bound):
            return AbsentValue(self.source, absent)
        if undefined := _UNDEFINED.match(message):
            # names and functions were checked: what is missing is a function for values of this kind
            message = f"{undefined[1]} can't be used on these values"
        reason = _CALL.sub("", message).partition(". Check ")[0].partition(" CEL does not coerce")[0].rstrip(".")
        return ExpressionError(f"{self.source!r}{self._given(bound)}: {' '.join(reason.split())}")

    def _given(self, values: Mapping[str, Any]) -> str:
        given = ", ".join(f"{name}={_shown(values[name])}" for name in self._reads if name in values)
        return f" for {given}" if given else ""


def compile_expression(source: str, *, names: Collection[str] | None) -> Expression:
    """Compile `source`, which may read `names` (None: any name). About 20 µs; evaluating takes 2 to 6 µs.

    Raises ExpressionError for anything that is not an expression over these names.
    """
    text = read(source, names=names)
    return Expression(
        source=source,
        names=frozenset(text.reads + text.asks),
        _program=_compiled(source, text),
        _reads=text.reads,
        _asks=tuple((name, present_variable(name)) for name in text.asks),
        _functions={function_variable(name): _FUNCTIONS[name] for name in text.functions},
    )


def _compiled(source: str, text: CelText) -> cel.Program:
    try:
        return cel.compile(text.text)
    except Exception as error:
        message = str(error)
        if match := _ENGINE_PLACE.search(message):
            lines = text.text.split("\n")
            offset = sum(len(line) + 1 for line in lines[: int(match[1]) - 1]) + int(match[2]) - 1
            problem = "something is missing here" if "'<EOF>'" in match[3] else match[3].partition(" expecting ")[0]
            raise complain(source, text.origin(offset), problem) from error
        raise ExpressionError(f"{source!r}: {message}") from error
    except BaseException as error:
        if not _is_panic(error):
            raise
        raise ExpressionError(f"{source!r}: the expression engine failed: {error}") from error


def _is_panic(error: BaseException) -> bool:
    # the class can't be imported: the Rust bindings make it when they first need it
    return (type(error).__module__, type(error).__name__) == ("pyo3_runtime", "PanicException")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + "…"


def _numbers(function: str, values: tuple[Any, ...]) -> tuple[float, ...]:
    for value in values:
        if type(value) is not float:
            raise TypeError(f"{function}() takes numbers, got {_shown(value)}")
    return values


def _min(*values: Any) -> float:
    numbers = _numbers("min", values)
    return math.nan if any(map(math.isnan, numbers)) else min(numbers)


def _max(*values: Any) -> float:
    numbers = _numbers("max", values)
    return math.nan if any(map(math.isnan, numbers)) else max(numbers)


def _clip(*values: Any) -> float:
    x, low, high = _numbers("clip", values)
    return min(max(x, low), high) if low <= high and not math.isnan(x) else math.nan


def _log1p(*values: Any) -> float:
    (x,) = _numbers("log1p", values)
    return math.log1p(x) if x > -1.0 else -math.inf if x == -1.0 else math.nan


def _size(value: Any) -> float:
    if isinstance(value, (str, list)):
        return float(len(value))
    raise TypeError(f"size() takes a text or a list, got {_shown(value)}")


_AS_IT_IS = (float, bool, str)
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": _min,
    "max": _max,
    "clip": _clip,
    "log1p": _log1p,
    "size": _size,
}
