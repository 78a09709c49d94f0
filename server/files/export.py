"""The log as Parquet files: one folder a table, in it one a campaign and one a UTC day of the decisions."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import orjson

from server.errors import Conflict, InvalidRequest, NoSuchCampaign
from server.files.writing import replacing
from server.store import campaigns as campaign_rows
from server.store import export as rows
from server.store.database import Database
from server.store.tables import campaigns as campaigns_table
from simulator.sources.parquet import load_arrow, load_parquet

FORMAT = 1
MANIFEST = "manifest.json"
FILE = "rows.parquet"
LISTS = {"eligible": "text", "probabilities": "float", "ignored_context": "text"}
"""JSON columns that always hold a list of one kind: lists in the files, too. The other JSON columns are text."""
PARTITION = "campaign"
"""A column that the folders name, and so no file has."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did. `rows`: written, by table."""

    written: int
    unchanged: int
    rows: Mapping[str, int]


def day_folder(folder: Path, table: str, campaign: str, day: str) -> Path:
    """Where the rows of a table are of the decisions of one day."""
    return folder / table / f"campaign={campaign}" / f"day={day}"


def versions_folder(folder: Path, campaign: str) -> Path:
    """Where the versions of a campaign are."""
    return folder / "campaigns" / f"campaign={campaign}"


def export_log(
    database: Database,
    folder: Path,
    *,
    campaigns: Sequence[str] = (),
    progress: Callable[[str, str], None] = lambda campaign, day: None,
) -> Exported:
    """Write the days that are new or have changed since the last export into this folder. All campaigns by default.

    A day is that of the decision, for its outcomes and its reward, too: what comes later rewrites the day of the
    decision. Days that the database does not have any more stay. One export at a time into one folder.
    Raises NoSuchCampaign, Conflict for the folder of another installation, InvalidRequest, ParquetError, OSError.
    """
    load_parquet()  # before anything is made for nothing
    with database.reading() as connection:
        known = sorted(campaign_rows.heads(connection))
    for campaign in campaigns:
        if campaign not in known:
            raise NoSuchCampaign(campaign, known)
    manifest = _Manifest(folder, installation_of(database.secret))
    written = unchanged = 0
    counted: dict[str, int] = dict.fromkeys(rows.TABLES, 0)
    for campaign in campaigns or known:
        _write_versions(database, folder, campaign)
        for start in rows.days(database, campaign):
            day = start.date().isoformat()
            progress(campaign, day)
            # before the rows are read: what comes meanwhile makes the day one that has changed
            extent = list(astuple(rows.extent(database, campaign, start)))
            before = manifest.extent_of(campaign, day)
            if before == extent or _shrunk(before, extent):
                unchanged += 1
                continue
            for table, number in _write_day(folder, campaign, day, rows.read_day(database, campaign, start)).items():
                counted[table] += number
            manifest.note(campaign, day, extent)
            written += 1
    return Exported(written, unchanged, counted)


def _shrunk(before: list[int] | None, now: list[int]) -> bool:
    """Whether the day has fewer decisions than were exported: those gone are past their retention, and stay here."""
    return before is not None and now[0] < before[0]


class _Manifest:
    """What was exported: the extent of every day. Written after every day, so that a broken export goes on there."""

    def __init__(self, folder: Path, installation: str) -> None:
        self._path = folder / MANIFEST
        self._content: dict[str, Any] = {"format": FORMAT, "installation": installation, "days": {}}
        if not self._path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            return
        found = _read_manifest(self._path)
        if found["installation"] != installation:
            raise Conflict(f"{folder} holds the log of another installation: name another folder")
        self._content = found

    def extent_of(self, campaign: str, day: str) -> list[int] | None:
        extent: list[int] | None = self._content["days"].get(campaign, {}).get(day)
        return extent

    def note(self, campaign: str, day: str, extent: list[int]) -> None:
        self._content["days"].setdefault(campaign, {})[day] = extent
        with replacing(self._path) as temporary:
            temporary.write_bytes(orjson.dumps(self._content, option=orjson.OPT_INDENT_2))


def exported_days(folder: Path) -> Mapping[str, Sequence[str]]:
    """Campaign to its days, in order. Raises InvalidRequest for a folder that no export has written."""
    path = folder / MANIFEST
    if not path.exists():
        raise InvalidRequest(f"{folder} has no {MANIFEST}: expected a folder that elige export has written")
    return {campaign: sorted(found) for campaign, found in sorted(_read_manifest(path)["days"].items())}


def exported_by(folder: Path) -> str:
    """The installation whose log the folder holds. Raises InvalidRequest."""
    return str(_read_manifest(folder / MANIFEST)["installation"])


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(path.read_bytes())
        number = found["format"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise InvalidRequest(f"{path} is no manifest of an export") from error
    if number != FORMAT:
        raise InvalidRequest(f"{path} has format {number}; this program reads and writes {FORMAT}")
    return found


def _write_versions(database: Database, folder: Path, campaign: str) -> None:
    parquet = load_parquet()
    path = versions_folder(folder, campaign) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        parquet.write_table(_table(rows.read_versions(database, campaign), rows.kinds(campaigns_table)), temporary)


def _write_day(
    folder: Path, campaign: str, day: str, chunks: Iterable[Mapping[str, list[dict[str, Any]]]]
) -> dict[str, int]:
    """Each file is whole or not there; a table without rows has a file, too, so that a query finds its columns."""
    parquet = load_parquet()
    counted = dict.fromkeys(rows.TABLES, 0)
    columns = {name: rows.kinds(table) for name, table in rows.TABLES.items()}
    with ExitStack() as stack:
        writers = {}
        for name in rows.TABLES:
            path = day_folder(folder, name, campaign, day) / FILE
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = stack.enter_context(replacing(path))
            writer = parquet.ParquetWriter(temporary, _schema(columns[name]), compression="zstd")
            writers[name] = stack.enter_context(writer)
        for chunk in chunks:
            for name, writer in writers.items():
                writer.write_table(_table(chunk[name], columns[name]))
                counted[name] += len(chunk[name])
    return counted


def _table(found: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> Any:
    schema = _schema(columns)
    return load_arrow().Table.from_pylist(
        [{name: _value(name, row[name]) for name in schema.names} for row in found], schema=schema
    )


def _schema(columns: Mapping[str, str]) -> Any:
    arrow = load_arrow()
    types = {
        "time": arrow.timestamp("us", "UTC"),
        "json": arrow.string(),
        "float": arrow.float64(),
        "int": arrow.int64(),
        "text": arrow.string(),
    }
    return arrow.schema(
        [
            arrow.field(name, arrow.list_(types[LISTS[name]]) if name in LISTS else types[kind])
            for name, kind in columns.items()
            if name != PARTITION
        ]
    )


def _value(name: str, value: Any) -> Any:
    return orjson.loads(value) if name in LISTS and value is not None else value


def installation_of(secret: bytes) -> str:
    """Tells one installation's log from another's, and nothing of the secret."""
    return hashlib.blake2b(b"", key=secret, digest_size=16, person=b"elige-export").hexdigest()
