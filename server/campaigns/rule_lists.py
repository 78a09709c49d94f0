"""The `rules` policy in a campaign file, a list of `when` and `show` or one line, and all that can be wrong with it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.decision_list import EXAMPLE, MAX_RULES, Rule, mistakes, read_rules
from policies.expressions import ExpressionError, compile_expression
from policies.registry import PolicyError
from server.campaigns.problems import Path, Problem, listed, shown_value

FORM = "{when: \"country == 'ES'\", show: price}"
_SAMPLES: Mapping[str, Any] = {"text": "a", "number": 1.0, "flag": True, "texts": ("a",) * 1_000}
"""By kind of a context key, a value that tests are tried with."""

RULES_SCHEMA: Mapping[str, Any] = {
    "anyOf": [
        {"type": "string", "examples": [EXAMPLE]},
        {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_RULES,
            "items": {
                "type": "object",
                "properties": {
                    "when": {
                        "type": "string",
                        "description": "A CEL test over the context. Only the last can do without.",
                    },
                    "show": {
                        "description": "A variant's id, or ids with their shares.",
                        "anyOf": [
                            {"type": "string"},
                            {
                                "type": "object",
                                "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
                                "minProperties": 1,
                            },
                        ],
                    },
                },
                "required": ["show"],
                "additionalProperties": False,
            },
        },
    ]
}
"""What a JSON Schema can say of them."""


class WrongRules(PolicyError):
    """A list of rules with mistakes."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))


@dataclass(frozen=True, slots=True)
class Known:
    """What rules can refer to. `context`: as the campaign declares it, whatever that is; `variants`: those of the
    slots that the rules decide, None where calls bring their own; `where` the variants would have to be, in words.
    """

    context: Any = "any"
    variants: Sequence[str] | None = None
    where: str = ""


def read_rule_list(value: Sequence[Any]) -> tuple[Rule, ...]:
    """The rules of a list. Raises WrongRules for what `list_problems` finds without knowing the campaign."""
    if problems := list(list_problems(value, Known())):
        raise WrongRules(problems)
    rules, _ = _read(value)
    return rules


def list_problems(value: Sequence[Any], known: Known) -> Iterator[Problem]:
    """All that is wrong with a list of rules; the paths begin with the index of a rule."""
    rules, problems = _read(value)
    yield from problems
    told = [problem.path for problem in problems]
    for problem in _problems(rules, known):
        path = problem.path
        if len(path) == 3 and not isinstance(value[int(path[0])]["show"], Mapping):
            # `show: price` has no place of its own for the variant
            problem = replace(problem, path=path[:2], on_key=False)
        if not any(path[: len(one)] == one for one in told):
            yield problem


def line_problems(text: str, known: Known) -> Iterator[Problem]:
    """The same for readable rules on one line: all at the line, in words that say which rule."""
    for problem in _problems(read_rules(text), known):
        yield Problem((), f"rule {int(problem.path[0]) + 1}: {problem.sentence}")


def _problems(rules: Sequence[Rule], known: Known) -> Iterator[Problem]:
    kinds = known.context if isinstance(known.context, Mapping) else {}
    names = None if known.context == "any" else list(kinds)
    for mistake in mistakes(rules, names=names):
        yield Problem(mistake.place, mistake.problem, mistake.expected, on_key=len(mistake.place) == 1)
    for index, rule in enumerate(rules):
        if rule.when is not None and names is not None and (reason := _failure(rule.when, kinds)):
            yield Problem((index, "when"), f"has no answer for some people: {reason}")
        for variant in rule.show:
            if known.variants is not None and variant not in known.variants:
                what, expected = f"is not a variant {known.where}", f"one of: {listed(known.variants)}"
                yield Problem((index, "show", variant), what, expected, shown_value(variant), on_key=True)


def _failure(test: str, kinds: Mapping[str, Any]) -> str:
    """Why the test can't be answered for values of the declared kinds, if so."""
    try:
        compiled = compile_expression(test, names=list(kinds))
    except ExpressionError:
        return ""  # told already
    try:
        compiled.test({name: _SAMPLES.get(str(kind)) for name, kind in kinds.items()})
    except ExpressionError as error:
        return str(error)
    return ""


def _read(value: Sequence[Any]) -> tuple[tuple[Rule, ...], list[Problem]]:
    """Every rule as far as it can be read, and where one can't be."""
    problems: list[Problem] = []
    return tuple(_rule(index, one, problems) for index, one in enumerate(value)), problems


def _rule(index: int, value: Any, problems: list[Problem]) -> Rule:
    if not isinstance(value, Mapping):
        problems.append(Problem((index,), "is no rule", f"a mapping such as {FORM}", shown_value(value)))
        return Rule("true", {})
    for name in value.keys() - {"when", "show"}:
        problems.append(Problem((index, name), "no such field", "one of: when, show", on_key=True))
    when = value.get("when")
    if "when" in value and not isinstance(when, str):
        what = (
            ("is empty", "a CEL test") if when is None else ("is no test", "a CEL test, in quotes", shown_value(when))
        )
        problems.append(Problem((index, "when"), *what))
        when = "true"
    if "show" not in value:
        problems.append(Problem((index,), "has nothing to show", f"when and show, as in {FORM}"))
    return Rule(when, _show(index, value.get("show", {}), problems))


def _show(index: int, value: Any, problems: list[Problem]) -> Mapping[str, float]:
    match value:
        case str():
            return {value: 1.0}
        case Mapping():
            return {
                str(variant): _share((index, "show", str(variant)), one, problems) for variant, one in value.items()
            }
    expected = "the id of a variant, or ids with shares, as in {ten: 0.7, none: 0.3}"
    problems.append(Problem((index, "show"), "can't be shown", expected, shown_value(value)))
    return {}


def _share(path: Path, value: Any, problems: list[Problem]) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    problems.append(Problem(path, "is no share", "a number above 0", shown_value(value)))
    return math.nan
