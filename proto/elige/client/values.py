"""Python values to the well-known types and back, by hand: json_format takes about twice to four times as long."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

_EXACT = 2**53
"""Up to here every whole number is a double."""


def fill(struct: Struct, values: Mapping[str, Any], *, name: str) -> None:
    """Put a dict into a Struct: texts, numbers, flags, None, lists or tuples, dicts.

    Raises TypeError for anything else and ValueError for a whole number that no double holds, naming `name` and key.
    """
    fields = struct.fields
    for key, value in values.items():
        if not isinstance(key, str):
            raise TypeError(f"{name}: the key {key!r} is a {type(key).__name__}; expected a text")
        _set(fields[key], value, name, key)


def _set(slot: Value, value: Any, name: str, key: str | int) -> None:
    # name and key are put together only where needed: doing it always took half of the time
    # a flag is an int to Python, so it comes before; the frequent kinds come before the rare ones
    if isinstance(value, str):
        slot.string_value = value
    elif isinstance(value, bool):
        slot.bool_value = value
    elif isinstance(value, float):
        slot.number_value = value
    elif isinstance(value, int):
        if not -_EXACT <= value <= _EXACT:
            raise ValueError(f"{name}[{key!r}]: {value} is more than a double holds exactly; send it as a text")
        slot.number_value = value
    elif isinstance(value, list | tuple):
        items: ListValue = slot.list_value
        items.SetInParent()  # an empty list is a list
        for i, item in enumerate(value):
            _set(items.values.add(), item, f"{name}[{key!r}]", i)
    elif isinstance(value, Mapping):
        slot.struct_value.SetInParent()
        fill(slot.struct_value, value, name=f"{name}[{key!r}]")
    elif value is None:
        slot.null_value = 0  # type: ignore[assignment]
    elif isinstance(value, Integral):  # numpy's
        _set(slot, int(value), name, key)
    elif isinstance(value, Real | Decimal):
        _set(slot, float(value), name, key)
    else:
        expected = "expected a text, number, flag, list or dict"
        raise TypeError(f"{name}[{key!r}]: {value!r} is a {type(value).__name__}; {expected}")


def to_dict(struct: Struct) -> dict[str, Any]:
    """A Struct as a dict. Whole numbers become int: JSON knows no difference, and `10` reads better than `10.0`."""
    return {key: _get(value) for key, value in struct.fields.items()}


def _get(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and -_EXACT <= number <= _EXACT else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_get(item) for item in value.list_value.values]
    if kind == "struct_value":
        return to_dict(value.struct_value)
    return None


def timestamp(at: datetime, *, name: str) -> Timestamp:
    """A moment. Raises ValueError for one without a zone: it could be any of 38 moments."""
    if at.tzinfo is None:
        raise ValueError(f"{name}: {at.isoformat()} has no time zone; expected e.g. datetime.now(UTC)")
    result = Timestamp()
    result.FromDatetime(at)
    return result


def duration(length: timedelta) -> Duration:
    """A length of time."""
    result = Duration()
    result.FromTimedelta(length)
    return result


def moment(message: Message, field: str) -> datetime | None:
    """The time in a field, in UTC; None if it is not set."""
    return getattr(message, field).ToDatetime(tzinfo=UTC) if message.HasField(field) else None


def optional(message: Message, field: str) -> Any:
    """The value of an optional field; None if it is not set."""
    return getattr(message, field) if message.HasField(field) else None
