"""A log in Parquet, a file or a folder of files, as pieces that are read by themselves and in parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from policies.types import Action
from simulator.logs.contexts import Contexts
from simulator.logs.log import Log, LogError
from simulator.sources.frames import log_of_table
from simulator.sources.mapping import EQUAL, ColumnMapping
from simulator.sources.parquet import ParquetError, open_parquet

BATCH = 32_768
"""Rows that are in memory at once, in each process."""

PIECE = 262_144
"""Row groups of a file are taken together until they have so many rows."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some row groups of a file. first: the number of its first row in the whole log; rows: how many it has."""

    path: str
    groups: tuple[int, ...]
    first: int
    rows: int


def pieces_of(path: str | Path, mapping: ColumnMapping) -> tuple[Piece, ...]:
    """The pieces of a file, or of all `*.parquet` below a folder in the order of their names; in the order of the rows.

    Raises ParquetError, also where nothing is there to be read, or a column of the mapping is missing in a file.
    """
    path = Path(path)
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    pieces: list[Piece] = []
    first = 0
    for file in files:
        sizes = _row_groups(file, mapping)
        groups: list[int] = []
        rows = 0
        for group, size in enumerate(sizes):
            groups.append(group)
            rows += size
            if rows >= PIECE or (rows and group == len(sizes) - 1):
                pieces.append(Piece(str(file), tuple(groups), first, rows))
                first, groups, rows = first + rows, [], 0
    if not pieces:
        raise ParquetError(f"{path}: no row to read; expected a Parquet file, or a folder of them, with at least one")
    return tuple(pieces)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads pieces as logs. actions: the vocabulary of all; None: those seen in each part. batch: rows of a part."""

    name: str
    mapping: ColumnMapping
    actions: tuple[Action, ...] | None = None
    batch: int = BATCH

    @property
    def timed(self) -> bool:
        """Whether rows have a time; else their order stands for it."""
        return self.mapping.time is not None

    @property
    def briefly(self) -> "Reader":
        """Reads only what was shown, what it earned, when, and to whom; the actions are those seen in each part."""
        mapping = self.mapping
        few = replace(
            mapping,
            context={},
            propensity=None,
            shares=EQUAL,
            probabilities=None,
            eligible=mapping.eligible if mapping.variants is None else None,
            id=None,
            default=None,
        )
        return replace(self, mapping=few, actions=None)

    def parts(self, piece: Piece) -> Iterator[Log]:
        """The piece as logs of at most `batch` rounds each. Persons mean the same in all of them; anonymous visits, and
        rows without a time, have their number in the whole log.

        Raises LogError, naming the rows, for what is no log.
        """
        first = piece.first
        with open_parquet(Path(piece.path)) as file:
            columns = list(dict.fromkeys(self.mapping.columns))
            batches = file.iter_batches(self.batch, row_groups=list(piece.groups), columns=columns, use_threads=False)
            for batch in batches:
                if batch.num_rows:
                    yield self._log(batch, Path(piece.path).name, first)
                    first += batch.num_rows

    def _log(self, batch: object, file: str, first: int) -> Log:
        try:
            log = log_of_table(batch, self.mapping, actions=self.actions)
        except LogError as error:
            raise LogError(f"{file}, from row {first:,} of the log", error.problems) from error
        anonymous = log.persons < 0
        if log.timed and not anonymous.any():
            return log
        return replace(
            log,
            persons=np.where(anonymous, log.persons - first, log.persons),
            times=log.times if log.timed else log.times + first,
        )


def joined(logs: Sequence[Log], *, name: str) -> Log:
    """One log of several over the same actions, in time order; of equal times the first stays the first."""
    times = np.concatenate([log.times for log in logs])
    order = np.argsort(times, kind="stable")
    known = [log.probabilities for log in logs if log.probabilities is not None]
    return replace(
        logs[0],
        name=name,
        contexts=Contexts.joined([log.contexts for log in logs]).take(order),
        eligible=np.concatenate([log.eligible for log in logs])[order],
        chosen=np.concatenate([log.chosen for log in logs])[order],
        propensities=np.concatenate([log.propensities for log in logs])[order],
        probabilities=np.concatenate(known)[order] if len(known) == len(logs) else None,
        rewards=np.concatenate([log.rewards for log in logs])[order],
        times=times[order],
        persons=np.concatenate([log.persons for log in logs])[order],
        duplicates=sum(log.duplicates for log in logs),
    )


def _row_groups(file: Path, mapping: ColumnMapping) -> list[int]:
    """How many rows each row group has. Raises ParquetError where a column is missing."""
    if not file.exists():
        raise ParquetError(f"{file}: no such file")
    with open_parquet(file) as opened:
        there = set(opened.schema_arrow.names)
        missing = [column for column in dict.fromkeys(mapping.columns) if column not in there]
        if missing:
            raise ParquetError(f"{file}: no column {', '.join(map(repr, missing))}; there are: {sorted(there)}")
        return [opened.metadata.row_group(place).num_rows for place in range(opened.num_row_groups)]
