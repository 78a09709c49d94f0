"""The way back of an export: its campaigns, written into a database as they were."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from server.campaigns.model import Campaign
from server.errors import Conflict, InvalidRequest
from server.files.export import (
    FILE,
    PARTITION,
    day_folder,
    exported_by,
    exported_days,
    installation_of,
    versions_folder,
)
from server.files.exported import read_rows
from server.records import State
from server.store import export as rows
from server.store import reimport
from server.store.database import Database
from server.store.tables import campaigns as campaigns_table
from simulator.sources.parquet import load_parquet, open_parquet

_TABLES = {**rows.TABLES, "campaigns": campaigns_table}


@dataclass(frozen=True, slots=True)
class Returned:
    """What an import did. `campaigns`: written now; `known`: here before. `same_installation`: whether the export is of
    an installation with this database's secret. `rows`: written, by table; `windows`: opened again. `renumbered`: the
    campaigns whose number another has here.
    """

    campaigns: tuple[str, ...]
    known: tuple[str, ...]
    same_installation: bool
    rows: Mapping[str, int]
    windows: int
    renumbered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """One campaign of an export. `settled`: all of it is in the database already."""

    folder: Path
    campaign: str
    days: Sequence[str]
    versions: Sequence[Mapping[str, Any]]
    settled: bool

    def column(self, table: str, day: str, name: str) -> list[Any]:
        """One column of a day."""
        path = day_folder(self.folder, table, self.campaign, day) / FILE
        _check_columns(path, table)
        with open_parquet(path) as file:
            found: list[Any] = file.read(columns=[name]).column(name).to_pylist()
        return found

    def batches(self, table: str, day: str) -> Iterator[list[dict[str, Any]]]:
        """The rows of a day, about CHUNK at a time; those of one decision come together."""
        path = day_folder(self.folder, table, self.campaign, day) / FILE
        named = {PARTITION: self.campaign} if PARTITION in rows.TABLES[table].columns else {}
        batch: list[dict[str, Any]] = []
        for _, group in groupby(read_rows(path, table), key=lambda row: row["decision_id"]):
            batch += ({**row, **named} for row in group)
            if len(batch) >= rows.CHUNK:
                yield batch
                batch = []
        if batch:
            yield batch


def import_exported(
    database: Database, folder: Path, *, progress: Callable[[str, str], None] = lambda campaign, doing: None
) -> Returned:
    """Write every campaign of a folder that `elige export` has written, in short transactions. What is here already,
    equal, is passed over: an import that was broken off is made again. Until all of a campaign is here, nobody serves
    or trains it.

    First everything is read and compared, before anything is written. Raises Conflict where a campaign of that name is
    something else here, or lives here and lacks something of the export; InvalidRequest for a folder that is no export,
    or not a whole one; ParquetError.
    """
    load_parquet()
    days = exported_days(folder)
    same = exported_by(folder) == installation_of(database.secret)
    sources = [_source(database, folder, campaign, days.get(campaign, ())) for campaign in _campaigns(folder)]
    for source in sources:
        progress(source.campaign, "comparing")
        _check_whole(source)
        _check_here(database, source)
    counted = dict.fromkeys(rows.TABLES, 0)
    highest = max(source.versions[0]["number"] for source in sources)
    opened, renumbered = 0, []
    for source in sources:
        if source.settled:
            continue
        with database.writing() as connection:
            number = reimport.begin(connection, source.campaign, source.versions, above=highest)
        if number != source.versions[0]["number"]:
            renumbered.append(source.campaign)
        for table in rows.TABLES:
            for day in source.days:
                progress(source.campaign, f"{table}, {day}")
                for batch in source.batches(table, day):
                    with database.writing([source.campaign]) as connection:
                        counted[table] += reimport.add(connection, source.campaign, table, batch)
        opened += _open_windows(database, source.campaign)
        with database.writing() as connection:
            reimport.finish(connection, source.campaign, source.versions)
    known = tuple(source.campaign for source in sources if source.settled)
    names = tuple(source.campaign for source in sources if not source.settled)
    return Returned(names, known, same, counted, opened, tuple(renumbered))


def _campaigns(folder: Path) -> list[str]:
    """Also those that have no decisions yet."""
    found = sorted(path.parent.name.partition("=")[2] for path in folder.glob(f"campaigns/{PARTITION}=*/{FILE}"))
    if not found:
        raise InvalidRequest(f"{folder} holds no campaigns: expected a folder that elige export has written")
    return found


def _source(database: Database, folder: Path, campaign: str, days: Sequence[str]) -> _Source:
    path = versions_folder(folder, campaign) / FILE
    _check_columns(path, "campaigns")
    versions = [{**row, PARTITION: campaign} for row in read_rows(path, "campaigns")]
    if not versions:
        raise InvalidRequest(f"{path} holds no version of campaign {campaign!r}")
    for one in versions:
        if Campaign.from_document(one["document"]).campaign != campaign or one["state"] not in set(State):
            raise InvalidRequest(f"{path}: version {one['version']} is no version of campaign {campaign!r}")
    with database.reading() as connection:
        settled = reimport.is_settled(connection, campaign)
    return _Source(folder, campaign, days, versions, settled=bool(settled))


def _check_whole(source: _Source) -> None:
    """That what belongs together is there, of all days. Raises InvalidRequest."""
    versions = {one["version"] for one in source.versions}
    spans: list[tuple[int, int, int]] = []
    for day in source.days:
        made = set(source.column("decisions", day, "decision_id"))
        belongs = {
            "versions": set(source.column("decisions", day, "version")) <= versions,
            "choices": set(source.column("choices", day, "decision_id")) == made,
            "outcomes": set(source.column("outcomes", day, "decision_id")) <= made,
            "rewards": set(source.column("rewards", day, "decision_id")) <= made,
        }
        if wrong := [name for name, holds in belongs.items() if not holds]:
            raise _not_whole(source, f"the decisions of {day} have other {' and '.join(wrong)}")
        if given := source.column("rewards", day, "sequence"):
            spans.append((len(given), min(given), max(given)))
    if spans:
        counts, firsts, lasts = zip(*spans, strict=True)
        places, first, last = sum(counts), min(firsts), max(lasts)
        if last - first + 1 != places:  # matured while the days before were written
            raise _not_whole(source, f"{places:,} rewards in places {first} to {last} of the sequence")


def _not_whole(source: _Source, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"{source.folder} does not hold all of campaign {source.campaign!r}: {reason}. Export once more into it, with "
        "its servers stopped"
    )


def _check_here(database: Database, source: _Source) -> None:
    """That nothing here stands against it. Raises Conflict."""
    with database.reading() as connection:
        lacks = len(reimport.missing_versions(connection, source.campaign, source.versions))
    for table in rows.TABLES:
        for day in source.days:
            for batch in source.batches(table, day):
                with database.reading() as connection:
                    absent = reimport.missing(connection, source.campaign, table, batch, settled=source.settled)
                lacks += len(absent)
    if source.settled and lacks:
        noun = "row" if lacks == 1 else "rows"
        raise Conflict(
            f"campaign {source.campaign!r} is in this database, without {lacks:,} {noun} of the export: import it into "
            "a database that does not have it"
        )


def _open_windows(database: Database, campaign: str) -> int:
    opened, after = 0, ""
    while True:
        with database.writing([campaign]) as connection:
            count, last = reimport.open_windows(connection, campaign, after=after)
        opened += count
        if last is None:
            return opened
        after = last


def _check_columns(path: Path, table: str) -> None:
    """Raises InvalidRequest where a file is not there, or has other columns than the table."""
    if not path.exists():
        raise InvalidRequest(f"{path} is missing: expected all files that elige export has written")
    expected = [name for name in rows.kinds(_TABLES[table]) if name != PARTITION]
    with open_parquet(path) as file:
        found = list(file.schema_arrow.names)
    if found != expected:
        raise InvalidRequest(
            f"{path} has the columns {', '.join(found)}; expected {', '.join(expected)}: export with this version"
        )
