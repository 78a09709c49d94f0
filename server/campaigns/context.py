"""The context of a request, read as the campaign declares it."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from policies.types import Features, Value
from server.campaigns.fields import ContextKind

OURS = "slot."
"""Keys that begin so hold what the slots before chose. No declared name does: it would have a dot."""


def read_context(
    declared: Mapping[str, ContextKind] | Literal["any"], sent: Mapping[str, Any]
) -> tuple[Features, tuple[str, ...]]:
    """The features in `sent`, and the names of what was ignored: not declared, or not of the declared kind.

    A null is a value that is missing, not one that is wrong. Nothing is converted: "3" is text and 1 is no flag. Under
    `any`, texts, finite numbers, flags and lists of texts are taken for what they are. Never raises.
    """
    features: dict[str, Value] = {}
    ignored: list[str] = []
    anything = declared == "any"
    for name, value in sent.items():
        if value is None:
            continue
        if anything:
            read = None if name.startswith(OURS) else _INFERRED.get(type(value))
        else:
            read = _READERS.get(declared.get(name))  # type: ignore[union-attr]
        feature = None if read is None else read(value)
        if feature is None:
            ignored.append(name)
        else:
            features[name] = feature
    return features, tuple(ignored)


def _text(value: Any) -> Value | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> Value | None:
    if isinstance(value, bool) or not isinstance(value, (float, int)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _flag(value: Any) -> Value | None:
    return value if isinstance(value, bool) else None


def _texts(value: Any) -> Value | None:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


_Reader = Callable[[Any], Value | None]
_READERS: Mapping[str | None, _Reader] = {"text": _text, "number": _number, "flag": _flag, "texts": _texts}
_INFERRED: Mapping[type, _Reader] = {
    str: _text,
    float: _number,
    int: _number,
    bool: _flag,
    list: _texts,
    tuple: _texts,
}
