"""Rules written by people: a list of tests over the context, each with what to show. The first that applies decides.

On one line, as in logs and on the command line:

    country == 'ES' -> price; orders > 10 -> ten 0.7, none 0.3; -> hours

A test is CEL (see expressions.py) and may hold anything: arrows and semicolons inside its texts are read as text. Ids
of other than letters, digits, `_`, `.` and `-` stand in single quotes, in which `\\'` and `\\\\` are a quote and a
backslash. The last rule may do without a test: the rest.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from policies.baselines import Fixed
from policies.entries import Mentioned
from policies.expression_text import TOKEN
from policies.expressions import Expression, ExpressionError, compile_expression
from policies.types import Action, Features, Pmf

EXAMPLE = "country == 'ES' -> price; -> hours"
MAX_RULES = 100
MAX_SHARE = 1e9

_PLAIN = re.compile(r"\w[\w.-]*")
_SHOWN = re.compile(
    rf"""\s* (?: '(?P<quoted> (?: \\[\\'] | [^\\'] )* )' | (?P<plain> {_PLAIN.pattern}) )
         (?: \s+ (?P<share> [-+.0-9eE]+) )? \s* (?P<end> [,;] | \Z )""",
    re.VERBOSE,
)

Place = tuple[int | str, ...]
"""Where in a list of rules: index of the rule, field, and in `show` the variant."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `when`: a CEL test, None for the rest; `show`: by variant its share, in proportion to the others."""

    when: str | None
    show: Mapping[str, float]


class RuleError(ValueError):
    """What is wrong with one rule. Says which one, counted from 1."""

    def __init__(self, place: Place, problem: str, expected: str) -> None:
        what = f"{problem}; expected {expected}" if expected else problem
        number, *field = place if place else (None,)
        at = ", ".join([f"rule {int(number) + 1}", *map(str, field)]) + ": " if number is not None else ""
        super().__init__(f"{at}{what}")
        self.place, self.problem, self.expected = place, problem, expected


@dataclass(frozen=True, slots=True)
class Rules:
    """The first rule whose test holds, and of which at least one variant is eligible, gives its eligible variants their
    shares. Where none applies: the slot's `default`; where that is not eligible either, uniform.

    A test on an absent key is false, and so is one that can't be answered for the values of this request.
    """

    rules: tuple[tuple[Expression | None, Mapping[str, float]], ...]
    default: str

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        for test, show in self.rules:
            shares = [show.get(action.id, 0.0) for action in actions]
            # summed exactly: the order of the actions changes no bit
            if (total := math.fsum(shares)) > 0.0 and _holds(test, context):
                return np.array(shares) / total
        return Fixed(self.default, self.default).pmf(context, actions)


def decision_list(text: str, *, default: str) -> Rules:
    """The policy of rules on one line. Raises RuleError."""
    rules = checked(read_rules(text))
    tests = [None if rule.when is None else compile_expression(rule.when, names=None) for rule in rules]
    return Rules(tuple((test, rule.show) for test, rule in zip(tests, rules, strict=True)), default)


def checked(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules themselves. Raises the first RuleError of `mistakes`."""
    for mistake in mistakes(rules):
        raise mistake
    return rules


def mistakes(rules: Sequence[Rule], *, names: Collection[str] | None = None) -> Iterator[RuleError]:
    """All that is wrong with the rules. `names`: the context keys that tests may read; None for any."""
    if not 0 < len(rules) <= MAX_RULES:
        yield RuleError((), f"{len(rules)} rules", f"1 to {MAX_RULES}")
    for index, rule in enumerate(rules):
        if rule.when is None and index < len(rules) - 1:
            yield RuleError((index,), "has no test, and is not the last", 'when: a CEL test; "true" always holds')
        if rule.when is not None and (reason := _uncompilable(rule.when, names)):
            yield RuleError((index, "when"), reason, "")
        if not rule.show:
            yield RuleError((index, "show"), "is empty", "a variant, or variants with their shares")
        for variant, share in rule.show.items():
            if not 0.0 < share <= MAX_SHARE:
                yield RuleError((index, "show", variant), f"{share:g} is no share", "a number above 0")


def mentioned_by(text: str) -> Mentioned:
    """The variants and context keys of rules on one line. Raises RuleError."""
    rules = checked(read_rules(text))
    tests = [compile_expression(rule.when, names=None) for rule in rules if rule.when is not None]
    return Mentioned(
        variants=tuple(dict.fromkeys(variant for rule in rules for variant in rule.show)),
        keys=tuple(sorted({name for test in tests for name in test.names})),
    )


def write_rules(rules: Sequence[Rule]) -> str:
    """Checked rules on one line. What is read from it says the same, without comments and surplus spaces."""
    written = []
    for rule in rules:
        only = len(rule.show) == 1
        shown = ", ".join(_id(one) if only else f"{_id(one)} {_plain(share)}" for one, share in rule.show.items())
        written.append(f"-> {shown}" if rule.when is None else f"{_tidied(rule.when)} -> {shown}")
    return "; ".join(written)


def read_rules(text: str) -> tuple[Rule, ...]:
    """The rules of one line, not yet checked; a variant without a share has 1. Raises RuleError."""
    rules: list[Rule] = []
    position, more = 0, True
    while more:
        arrow = _arrow(text, position, len(rules))
        when = text[position:arrow].strip() or None
        show, position, more = _read_shown(text, arrow + len("->"), len(rules))
        rules.append(Rule(when, show))
    return tuple(rules)


def _arrow(text: str, start: int, index: int) -> int:
    """Where the arrow of a rule is that begins at `start`: outside of texts and comments."""
    position = start
    while position < len(text) and text[position] != ";":
        if text.startswith("->", position):
            return position
        token = TOKEN.match(text, position)
        position = token.end() if token else position + 1  # what is no CEL is told when the test is compiled
    raise RuleError((index,), f"{_shortened(text[start:position])} has no '->'", f"rules such as {EXAMPLE}")


def _read_shown(text: str, position: int, index: int) -> tuple[dict[str, float], int, bool]:
    """What stands after an arrow, where it ends, and whether another rule follows."""
    show: dict[str, float] = {}
    while True:
        match = _SHOWN.match(text, position)
        if match is None:
            what = f"{_shortened(text[position:].partition(';')[0])} is not what to show"
            raise RuleError((index, "show"), what, "VARIANT, or VARIANT SHARE, VARIANT SHARE; odd ids in single quotes")
        quoted = match["quoted"]
        variant = match["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        if variant in show:
            raise RuleError((index, "show", variant), "stands twice", "it once")
        show[variant] = _number(match["share"] or "1")
        position = match.end()
        if match["end"] != ",":
            return show, position, match["end"] == ";"


def _holds(test: Expression | None, context: Features) -> bool:
    try:
        return test is None or test.test(context).holds
    except ExpressionError:
        return False


def _uncompilable(test: str, names: Collection[str] | None) -> str:
    """Why the test can't be compiled, if so."""
    try:
        compile_expression(test, names=names)
    except ExpressionError as error:
        return str(error)
    return ""


def _tidied(test: str) -> str:
    """The test on one line: a single space for every run of spaces and comments between its words."""
    runs = groupby(TOKEN.finditer(test), key=lambda match: match.lastgroup == "space")
    return "".join(" " if space else "".join(match.group() for match in run) for space, run in runs).strip()


def _id(variant: str) -> str:
    if _PLAIN.fullmatch(variant):
        return variant
    return "'" + re.sub(r"[\\']", r"\\\g<0>", variant) + "'"


def _plain(share: float) -> str:
    return str(int(share)) if share.is_integer() else repr(share)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan  # which is no share


def _shortened(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 80 else text[:80] + "…")
