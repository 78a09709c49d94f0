"""Records as the bytes that an outbox keeps, and back: JSON of their fields, whatever kind they are.

A field that a later version adds takes its default where older bytes lack it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import orjson
from pydantic import TypeAdapter

from server.errors import InvalidRequest
from server.records import Decision
from server.store.appending import KINDS, Record

_READERS: Mapping[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in KINDS.items()}
_NUL = rb"\u0000"


def encode(record: Record) -> bytes:
    """Raises InvalidRequest for what the database could not hold, TypeError for what is no JSON."""
    if isinstance(record, Decision):  # what a variant shows stands in the campaign's version or among the candidates
        record = replace(record, choices=tuple(replace(choice, content={}) for choice in record.choices))
    payload = orjson.dumps(record, default=_plain)
    if _NUL in payload:
        for name, text in _texts(record):
            if "\0" in text:
                raise InvalidRequest(f"it can't be stored: {name} {text[:60]!r} holds the character NUL")
    return payload


def decode(kind: str, payload: bytes) -> Record:
    """The record that was encoded. Raises ValueError."""
    record: Record = _READERS[kind].validate_json(payload)
    return record


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _texts(record: Record) -> Iterator[tuple[str, str]]:
    """Its texts that are columns of their own. Those inside of JSON columns may hold anything."""
    parts: tuple[Any, ...] = (record, *record.choices) if isinstance(record, Decision) else (record,)
    for part in parts:
        for field in fields(part):
            if isinstance(value := getattr(part, field.name), str):
                yield field.name, value
