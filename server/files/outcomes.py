"""Outcomes of a warehouse: each row of a file one outcome, safe to send again."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from server.errors import InvalidRequest
from server.files.rows import FileRow, as_text, chunked, columns_of, listed, read_rows
from simulator.sources.tables import read_number

FIELDS = ("decision_id", "person", "campaign", "metric", "value", "at", "key", "slot")
REJECTED_LINE, REJECTED_BECAUSE = "rejected_line", "rejected_because"
"""Columns of a file of rejects, left alone when it is sent again."""

Item = dict[str, Any]
"""What is told of one outcome, by the names of FIELDS; what is not said has no entry."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one outcome: its status, or why it was refused."""

    status: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not counted. `cells`: as in the file, with the key under which it was or would be sent."""

    line: int
    because: str
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is what: field to column. `header`: all columns of the file, in order. `campaign`: of the rows that
    tell of a person and name none.
    """

    header: tuple[str, ...]
    by_field: Mapping[str, str]
    campaign: str | None = None

    @property
    def rejects_header(self) -> list[str]:
        """The columns of a file of rejects, which can be mended and sent again."""
        return list(dict.fromkeys([*self.header, self.by_field.get("key", "key"), REJECTED_LINE, REJECTED_BECAUSE]))


def read_columns(
    path: Path, *, named: Mapping[str, str] | None = None, ignored: Sequence[str] = (), campaign: str | None = None
) -> Columns:
    """The columns of a file. `named`: field to column, where a column is not called as its field.

    Raises InvalidRequest for a field there is not, a column that is missing, and for columns that nobody named: a
    mistyped `vlaue` must not count as ones.
    """
    header = columns_of(path)
    named = named or {}
    if unknown := [field for field in named if field not in FIELDS]:
        raise InvalidRequest(f"no field {listed(unknown)}; expected {listed(FIELDS)}")
    if missing := [column for column in (*named.values(), *ignored) if column not in header]:
        raise InvalidRequest(f"{path} has no column {listed(missing)}; it has {listed(header)}")
    taken = {*named.values(), *ignored}
    own = {field: field for field in FIELDS if field not in named and field in header and field not in taken}
    by_field = {**named, **own}
    if not {"decision_id", "person"} & by_field.keys():
        raise InvalidRequest(f"{path}: no column is the decision_id or the person; it has {listed(header)}")
    if "person" in by_field and "campaign" not in by_field and campaign is None:
        raise InvalidRequest(f"{path}: no column is the campaign in which persons were shown something: name it")
    known = {*by_field.values(), *ignored, REJECTED_LINE, REJECTED_BECAUSE}
    if unknown := [column for column in header if column not in known]:
        raise InvalidRequest(f"{path}: nobody knows the column {listed(unknown)}: say what it is, or ignore it")
    return Columns(tuple(header), by_field, campaign)


def read_item(row: FileRow, columns: Columns) -> Item:
    """The outcome of a row, always with a key. Raises InvalidRequest for a cell that can't be read.

    A row without a key gets one of its own place and content, so that the same file counts once: rows may be added
    at its end, and a refused one may be mended where it stands.
    """
    if row.problem:
        raise InvalidRequest(row.problem)
    cells = {field: row.cells[column] for field, column in columns.by_field.items()}
    texts = {field: as_text(cells[field]) for field in cells if field not in ("value", "at")}
    item: Item = {field: text for field, text in texts.items() if text}
    _check_credit(item, columns)
    if cells.get("value") not in (None, ""):
        item["value"] = _number(cells["value"])
    if cells.get("at") not in (None, ""):
        item["at"] = _moment(cells["at"])
    return {"key": _own_key(row.number, item), **item}


def _check_credit(item: Item, columns: Columns) -> None:
    """That an item names a decision, or a person and a campaign."""
    if "decision_id" in item and "person" in item:
        raise InvalidRequest("decision_id and person: expected only one of the two")
    if "decision_id" in item:
        item.pop("campaign", None)
    elif "person" not in item:
        raise InvalidRequest("decision_id: missing" if "person" not in columns.by_field else "person: missing")
    elif "campaign" not in item:
        if columns.campaign is None:
            raise InvalidRequest("campaign: missing")
        item["campaign"] = columns.campaign


def send_outcomes(
    path: Path,
    columns: Columns,
    *,
    send: Callable[[Sequence[Item]], Sequence[Answer]],
    reject: Callable[[Rejected], None],
) -> Iterator[Counter[str]]:
    """Send a file chunk by chunk; yields, after each, how many rows so far had each status (`refused` is one).

    `send` answers in order, and only when it is durable. Holds one chunk in memory. Raises what `send` raises.
    """
    totals: Counter[str] = Counter()
    for chunk in chunked(read_rows(path)):
        sound: list[tuple[FileRow, Item]] = []
        refused: list[Rejected] = []
        for row in chunk:
            try:
                sound.append((row, read_item(row, columns)))
            except InvalidRequest as error:
                refused.append(Rejected(row.line, str(error), row.cells))
        answers = send([item for _, item in sound]) if sound else ()
        for (row, item), answer in zip(sound, answers, strict=True):
            if answer.refused:
                cells = {**row.cells, columns.by_field.get("key", "key"): item["key"]}
                refused.append(Rejected(row.line, answer.refused, cells))
            else:
                totals[answer.status] += 1
        for one in sorted(refused, key=lambda one: one.line):
            reject(one)
        totals["refused"] += len(refused)
        yield totals


def _own_key(number: int, item: Item) -> str:
    said = [str(number), *(f"{field}={item[field]}" for field in FIELDS if field in item)]
    return "row-" + hashlib.blake2b("\x00".join(said).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"value: {cell!r}, expected a number") from error


def _moment(cell: Any) -> datetime:
    """UTC where the cell names no zone."""
    if isinstance(cell, datetime):
        at = cell
    elif isinstance(cell, date):
        at = datetime(cell.year, cell.month, cell.day, tzinfo=UTC)
    else:
        try:
            at = _told(as_text(cell))
        except (ValueError, OverflowError, OSError) as error:
            raise InvalidRequest(f"at: {cell!r}, expected an ISO 8601 time or unix seconds") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _told(text: str) -> datetime:
    try:
        seconds = read_number(text)
    except ValueError:
        return datetime.fromisoformat(text.strip())
    return datetime.fromtimestamp(seconds, UTC)
