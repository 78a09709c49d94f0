"""Options that several commands share, and how their values are read."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from server.durations import parse_duration
from server.settings import DEFAULT_ADDRESS, DEFAULT_DATABASE

Db = Annotated[str, typer.Option("--db", envvar="ELIGE_DB", help="The database.", metavar="URL")]
Server = Annotated[str, typer.Option("--server", envvar="ELIGE_SERVER", help="The server to ask.", metavar="HOST:PORT")]
MaybeServer = Annotated[
    str | None,
    typer.Option("--server", envvar="ELIGE_SERVER", help="Ask this server, not the database.", metavar="HOST:PORT"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

DB: str = DEFAULT_DATABASE
SERVER: str = DEFAULT_ADDRESS


def read_pair(pair: str, option: str, form: str) -> tuple[str, str]:
    """`headline=price` as its two sides. Raises BadParameter, naming the form."""
    left, equals, right = pair.partition("=")
    if not (left and equals and right):
        raise typer.BadParameter(f"{pair!r}: expected {form}", param_hint=option)
    return left, right


def read_pairs(pairs: Sequence[str], option: str) -> dict[str, Any]:
    """`country=ES orders=3 member=true interests=["a","b"]`: numbers, flags and lists as JSON, the rest is text.

    A number that should be text goes in quotes: `zip='"28001"'`. Raises BadParameter.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, raw = pair.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"{pair!r}: expected name=value", param_hint=option)
        values[name] = _read(raw)
    return values


def _read(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def read_duration(text: str | None, option: str) -> timedelta | None:
    """`1d`, `6h`, `P1D`. Raises BadParameter."""
    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def read_time(text: str | None, option: str) -> datetime | None:
    """`2026-03-01`, `2026-03-01T10:00`, with an offset or in UTC. Raises BadParameter."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: expected a time such as 2026-03-01T10:00", param_hint=option) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
