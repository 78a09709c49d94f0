"""The context of a request, read as the campaign declares it."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policies import people, wording
from policies.types import Features, Value
from server.campaigns.fields import ContextKind

OURS = (*people.OURS, wording.OURS)
"""Features whose names begin so are made by us, never sent. No declared key of a context does: it would have a dot."""

BLOCK = 4
"""Hours that count as one part of the day. Of single hours each would have to be learned from a few visits."""
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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


def clock(at: datetime, time_zone: str | None) -> Features:
    """The time of a decision, where the person is: `time.hours`, the part of the day ("08-12"), and `time.weekday`
    ("mon"). In UTC without a zone, or with one that this machine does not know.
    """
    local = at.astimezone(_zone(time_zone) if time_zone else UTC)
    begin = local.hour - local.hour % BLOCK
    return {"time.hours": f"{begin:02}-{begin + BLOCK:02}", "time.weekday": _WEEKDAYS[local.weekday()]}


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


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
