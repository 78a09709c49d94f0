"""Context and variant as features: the only place where text meets Vowpal Wabbit's format.

In that format a space ends a feature, `|` starts a namespace, `:` starts a value and a newline starts another action.
Text from outside is escaped so that it can do none of this, and so that two different features never become the same.
"""

import math
import re
from collections.abc import Sequence

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


def squash(number: float) -> float:
    """sign(x)·log(1 + |x|): keeps order and sign, and an order value of 10,000 (9.2) does not swamp a flag (1)."""
    return math.copysign(math.log1p(abs(number)), number)


def _tokens(name: str, value: Value) -> str:
    key = escape(name)
    if isinstance(value, str):
        return f"{key}={escape(value)}"
    if isinstance(value, bool):
        return f"{key}={'true' if value else 'false'}"
    if isinstance(value, tuple):
        return " ".join(f"{key}={escape(item)}" for item in value)
    if not math.isfinite(value):
        return ""
    # Six decimals: Vowpal Wabbit reads numbers as 32-bit floats, and one below their range makes its predictions NaN.
    written = f"{squash(value):.6f}"
    # A feature of value 0 would be no feature, and a zero has to differ from a missing number.
    return f"{key}=0" if float(written) == 0.0 else f"{key}:{written}"


def _namespace(letter: str, tokens: Sequence[str]) -> str:
    return " ".join((f"|{letter}", *filter(None, tokens)))


def context_line(context: Features) -> str:
    """The shared line of a decision. Names are sorted: the order in which a caller sends them changes nothing."""
    return "shared " + _namespace(CONTEXT, [_tokens(name, context[name]) for name in sorted(context)])


def action_line(action: Action) -> str:
    """The line of one action: its id and its declared features."""
    declared = [_tokens(name, action.features[name]) for name in sorted(action.features)]
    # `id` is written with a sign that no escaped name holds, so that a declared feature `id` is another one
    return _namespace(ACTION, [f"=id={escape(action.id)}", *declared])
