"""Logs from files: any randomised or logged trial as CSV, and the Open Bandit Dataset."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from policies.types import Action, Features, RewardRange, Value
from simulator.logs.log import SUM_TOLERANCE, Log, Round
from simulator.logs.rounds import UNKNOWN
from simulator.sources.mapping import EQUAL, ESTIMATE, ColumnMapping
from simulator.sources.tables import (
    Row,
    SourceError,
    Table,
    one_of,
    read_flag,
    read_number,
    read_propensity,
    read_time,
)

READERS: Mapping[str, tuple[Callable[[str], Value], str]] = {
    "text": (str, "a text"),
    "number": (read_number, "a finite number or nothing"),
    "flag": (read_flag, "1, true, yes or 0, false, no, or nothing"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a file said, before it is a log: its rounds in the order of the file, with the persons' own names.

    estimate: propensities are nan, and to be estimated. duplicates: rows whose id an earlier one has; None without ids.
    """

    name: str
    slot: str
    reward: str
    actions: tuple[Action, ...]
    rounds: tuple[Round, ...]
    reward_range: RewardRange
    default: str | None = None
    timed: bool = True
    estimate: bool = False
    duplicates: int | None = None

    def log(self) -> Log:
        """Raises LogError when the rounds are no sound log."""
        log = Log.from_rounds(
            self.rounds,
            slot=self.slot,
            default=self.default,
            name=self.name,
            reward_range=self.reward_range,
            timed=self.timed,
            estimate=self.estimate,
        )
        return log if self.duplicates is None else replace(log, duplicates=self.duplicates)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One row that could be read. `propensity`: None where the mapping's shares say it."""

    variant: str
    reward: float
    time: float
    propensity: float | None
    person: str | None
    context: Features


def csv_log(path: str | Path, mapping: ColumnMapping, *, now: float | None = None) -> Log:
    """The log of a CSV file: `read_csv(path, mapping).log()`. now: unix seconds; what is later is counted in
    `Log.future`. Raises SourceError, LogError.
    """
    log = read_csv(path, mapping).log()
    return log if now is None else log.as_of(now)


def open_bandit(directory: str | Path) -> Log:
    """The log of a folder of the Open Bandit Dataset: `read_open_bandit(directory).log()`. Raises SourceError."""
    return read_open_bandit(directory).log()


def read_csv(path: str | Path, mapping: ColumnMapping) -> Source:
    """A CSV file with a header. An empty context cell is a missing feature, an empty person is anonymous.

    Raises SourceError with every bad cell (the first 10 spelled out).
    """
    path = Path(path)
    if lists := _lists(mapping):
        raise SourceError(path, [f"{', '.join(lists)}: not read from a CSV file; expected a Parquet file for these"])
    table = Table(path, columns=mapping.columns, encoding=mapping.encoding, delimiter=mapping.delimiter)
    rows: list[_Seen] = []
    ids: list[str] = []
    for order, row in enumerate(table):
        ids += [row.cells[mapping.id]] if mapping.id is not None and row.cells[mapping.id] else []
        if seen := _read(row, mapping, order):
            rows.append(seen)
    table.finish()
    variants = mapping.variants or tuple(sorted({seen.variant for seen in rows}))
    if mapping.default is not None and mapping.default not in variants:
        raise SourceError(path, [f"default {mapping.default!r} is never shown; variants seen: {list(variants)}"])
    actions = tuple(Action(variant) for variant in variants)
    return Source(
        name=path.name,
        slot=mapping.slot,
        reward=mapping.reward,
        actions=actions,
        rounds=tuple(_round(actions, seen, mapping) for seen in rows),
        reward_range=mapping.reward_range,
        default=mapping.default,
        timed=mapping.time is not None,
        estimate=mapping.shares == ESTIMATE,
        duplicates=None if mapping.id is None else len(ids) - len(set(ids)),
    )


def read_open_bandit(directory: str | Path) -> Source:
    """A folder laid out as the Open Bandit Dataset: one campaign file beside `item_context.csv`. Saito et al. 2021.

    Context: `position` as a text (three places side by side are no scale) and the user features. Actions: the items,
    with their features. The user-item affinities, of which almost all are zero, are left out. Persons are unknown:
    every row is a visit of its own. The full probabilities are taken as known only where the rows prove them: every
    item was drawn at that position, always with one propensity, and these sum to 1. That holds for the uniform log,
    not for Thompson sampling, whose propensities move from day to day.
    Raises SourceError with every bad cell (the first 10 spelled out).
    """
    directory = Path(directory)
    items = _items(directory / "item_context.csv")
    files = sorted(path for path in directory.glob("*.csv") if path.name != "item_context.csv")
    if len(files) != 1:
        names = [path.name for path in files]
        raise SourceError(directory, [f"expected one campaign file beside item_context.csv, got {names}"])
    table = Table(files[0], columns=["timestamp", "item_id", "position", "click", "propensity_score"])
    users = {column: "text" for column in table.header if column.startswith("user_feature")}
    mapping = ColumnMapping(
        variant="item_id",
        reward="click",
        propensity="propensity_score",
        time="timestamp",
        context={"position": "text", **users},
        variants=tuple(item.id for item in items),
        slot="item",
    )
    rows = [seen for order, row in enumerate(table) if (seen := _read(row, mapping, order))]
    table.finish()
    proven = _proven(rows, mapping.variants or ())
    return Source(
        name=f"{directory.parent.name}/{directory.name}",
        slot=mapping.slot,
        reward=mapping.reward,
        actions=items,
        rounds=tuple(
            Round(
                context=seen.context,
                actions=items,
                chosen=seen.variant,
                propensity=seen.propensity or 0.0,
                reward=seen.reward,
                time=seen.time,
                probabilities=proven[str(seen.context["position"])] if proven else None,
            )
            for seen in rows
        ),
        reward_range=RewardRange(0.0, 1.0),
    )


def _read(row: Row, mapping: ColumnMapping, order: int) -> _Seen | None:
    """The row; None when any cell of it can't be read, which the table has noted by then."""
    low, high = mapping.reward_range.low, mapping.reward_range.high
    read_variant = one_of(mapping.variants) if mapping.variants else _some_text
    wanted = f"one of {list(mapping.variants)[:20]}" if mapping.variants else "a variant"
    variant = row.read(mapping.variant, read_variant, wanted)
    reward = row.read(
        mapping.reward,
        lambda text: _between(read_number(text), low, high),
        f"a number from {low:g} to {high:g} (reward_range)",
    )
    propensity = time = None
    whole = variant is not None and reward is not None
    if mapping.propensity is not None:
        propensity = row.read(mapping.propensity, read_propensity, "a number in (0, 1]")
        whole &= propensity is not None
    if mapping.time is not None:
        time = row.read(mapping.time, read_time, "an ISO 8601 time or unix seconds")
        whole &= time is not None
    context: dict[str, Value] = {}
    for column, kind in mapping.context.items():
        if row.cells[column] != "":
            reader, expected = READERS[kind]
            value = row.read(column, reader, expected)
            whole &= value is not None
            if value is not None:
                context[column] = value
    if not whole or variant is None or reward is None:
        return None
    person = row.cells[mapping.person] if mapping.person is not None else ""
    return _Seen(variant, reward, float(order) if time is None else time, propensity, person or None, context)


def _round(actions: tuple[Action, ...], seen: _Seen, mapping: ColumnMapping) -> Round:
    """The round, with its chances: from its own cell, or from the mapping's shares."""
    propensity, probabilities = seen.propensity, None
    if propensity is None:
        if isinstance(mapping.shares, Mapping):
            probabilities = [mapping.shares[action.id] for action in actions]
            propensity = mapping.shares[seen.variant]
        elif mapping.shares == ESTIMATE:
            propensity = UNKNOWN
        else:
            assert mapping.shares is not None, "a propensity in a column is read from there"
            propensity = 1.0 / len(actions) if mapping.shares == EQUAL else float(mapping.shares)
            if abs(propensity * len(actions) - 1.0) <= SUM_TOLERANCE:
                probabilities = [propensity] * len(actions)
    return Round(
        context=seen.context,
        actions=actions,
        chosen=seen.variant,
        propensity=propensity,
        reward=seen.reward,
        time=seen.time,
        probabilities=probabilities,
        person=seen.person,
    )


def _items(path: Path) -> tuple[Action, ...]:
    table = Table(path, columns=["item_id"])
    names = [column for column in table.header if column.startswith("item_feature")]
    items = []
    for row in table:
        features: dict[str, Value] = {}
        for name in names:
            try:
                features[name] = read_number(row.cells[name])
            except ValueError:
                features[name] = row.cells[name]  # most of them are hashed texts
        items.append(Action(row.cells["item_id"], features))
    table.finish()
    return tuple(items)


def _proven(rows: Sequence[_Seen], items: Sequence[str]) -> dict[str, list[float]] | None:
    """By position, the probability of every item, in their order; None unless the rows leave no doubt of any."""
    told: dict[str, dict[str, set[float]]] = defaultdict(lambda: defaultdict(set))
    for seen in rows:
        told[str(seen.context.get("position"))][seen.variant].add(seen.propensity or 0.0)
    found = {}
    for position, by_item in told.items():
        if set(by_item) != set(items) or any(len(values) > 1 for values in by_item.values()):
            return None
        found[position] = [next(iter(by_item[item])) for item in items]
        if abs(sum(found[position]) - 1.0) > SUM_TOLERANCE:
            return None
    return found


def _lists(mapping: ColumnMapping) -> list[str]:
    """What a mapping says that only tables with lists have."""
    told = {"probabilities": mapping.probabilities, "eligible": mapping.eligible}
    found = [name for name, value in told.items() if value is not None]
    return found + [f"context of {column!r}" for column, kind in mapping.context.items() if kind == "texts"]


def _some_text(text: str) -> str:
    if not text:
        raise ValueError("expected a text")
    return text


def _between(number: float, low: float, high: float) -> float:
    if not low <= number <= high:
        raise ValueError(f"{number}: expected a number from {low} to {high}")
    return number
