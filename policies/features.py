"""Context and variant as features: the only place where text meets Vowpal Wabbit's format.

In that format a space ends a feature, `|` starts a namespace, `:` starts a value and a newline starts another action.
Text from outside is escaped so that it can do none of this, and so that two different features never become the same.
"""

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from policies.scales import Scales, squash
from policies.types import Action, Features, Value

CONTEXT, ACTION = "c", "a"
"""The namespaces. Vowpal Wabbit names interactions by their first letters."""

# Control characters, space and DEL, what Vowpal Wabbit gives a meaning, what we give one (`=`, `%`), lone surrogates.
_SPECIAL = re.compile("[\x00-\x20\x7f|:=%\ud800-\udfff]")


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogatepass"))


def escape(text: str) -> str:
    """The text with everything that has a meaning percent-encoded. Injective; letters of any script stay readable."""
    if text.isidentifier() or text.isalnum():  # most are, and this takes half as long as the search
        return text
    return _SPECIAL.sub(_percent, text) if _SPECIAL.search(text) else text


def numbers_of(context: Features) -> Iterator[tuple[str, float]]:
    """Name and value of its finite numbers, by name."""
    for name in sorted(context):
        value = context[name]
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            yield escape(name), float(value)


def _tokens(name: str, value: Value, scales: Scales | None = None, halves: bool = True) -> str:
    key = escape(name)
    if isinstance(value, str):
        return f"{key}={escape(value)}"
    if isinstance(value, bool):
        return f"{key}={'true' if value else 'false'}"
    if isinstance(value, tuple):
        return " ".join(f"{key}={escape(item)}" for item in value)
    if not math.isfinite(value):
        return ""
    if scales is not None:
        return _scaled(key, scales.standard(key, value), halves)
    written = f"{squash(value):.6f}"
    # Six decimals: Vowpal Wabbit reads 32-bit floats, and a number below their range makes its predictions NaN. A
    # feature of value 0 would be no feature, and a zero has to differ from a missing number.
    return f"{key}=0" if float(written) == 0.0 else f"{key}:{written}"


def _scaled(key: str, deviations: float | None, halves: bool) -> str:
    """Deviations from the mean, and in which half of a deviation they lie: what goes up or down steadily, and what is
    good in the middle.
    """
    if deviations is None:
        return ""
    written = f"{deviations:.6f}"
    value = "" if written in _ZEROS else f"{key}:{written}"
    if not halves:
        return value
    # beside a hair: on what never varied, rounding must not throw a coin. No text's token is like this one: the text's
    # own = would be escaped
    half = math.floor(2.0 * deviations + 1e-6)
    return f"{value} {key}=={half}" if value else f"{key}=={half}"


_ZEROS = ("0.000000", "-0.000000")


def _namespace(letter: str, tokens: Sequence[str]) -> str:
    return " ".join((f"|{letter}", *filter(None, tokens)))


def context_line(context: Features, scales: Scales, *, halves: bool = True) -> str:
    """The shared line of a decision. Names are sorted: the order in which a caller sends them changes nothing.

    halves: whether the half deviation in which a number lies is a feature beside it.
    """
    tokens = [
        # most features are short texts that were seen before: to look one up takes a quarter of the time
        _short(name, value)
        if type(value := context[name]) is str and len(name) + len(value) <= _SHORT
        else _tokens(name, value, scales, halves)
        for name in sorted(context)
    ]
    return "shared " + _namespace(CONTEXT, tokens)


_SHORT = 100


@lru_cache(maxsize=10_000)
def _short(name: str, text: str) -> str:
    return f"{escape(name)}={escape(text)}"


def action_line(action: Action) -> str:
    """The line of one action: its id and its features."""
    features = [_tokens(name, action.features[name]) for name in sorted(action.features)]
    # `id` is written with a sign that no escaped name holds, so that a declared feature `id` is another one
    return _namespace(ACTION, [f"=id={escape(action.id)}", *features])
