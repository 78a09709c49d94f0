"""Logs from tables of one row a decision: data frames of pandas or Arrow, and Parquet files. Read column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.types import Action
from simulator.logs.contexts import Column, Contexts
from simulator.logs.log import Log
from simulator.logs.problems import LogError
from simulator.logs.propensities import with_estimated
from simulator.logs.repeats import identical_rounds, repeated
from simulator.logs.rounds import Flags, Floats, Indices
from simulator.logs.validation import SUM_TOLERANCE
from simulator.sources import readings
from simulator.sources.chances import by_design, read_eligible, read_probabilities, read_propensities
from simulator.sources.columns import Cells, Lists, as_frame, names_of, read_column
from simulator.sources.framed import Framed, places_of
from simulator.sources.mapping import ESTIMATE, ColumnMapping, MappingError
from simulator.sources.parquet import open_parquet


def frame_log(
    frame: Any,
    *,
    variant: str,
    reward: str,
    propensity: str | None = None,
    shares: float | str | Mapping[str, float] | None = None,
    probabilities: str | Mapping[str, str] | None = None,
    eligible: str | None = None,
    time: str | None = None,
    person: str | None = None,
    id: str | None = None,
    context: Sequence[str] | Mapping[str, str] = (),
    variants: Sequence[str] | None = None,
    default: str | None = None,
    slot: str = "variant",
    reward_range: tuple[float, float] = (0.0, 1.0),
    actions: Sequence[Action] | None = None,
    name: str = "frame",
    now: float | None = None,
) -> Log:
    """The log of a pandas data frame, an Arrow table, or of what hands its data over as Arrow does: one row a decision.

    The words are those of `ColumnMapping`, of which each names a column. How probable what was shown was has to be
    told: propensity, a column; probabilities, of all variants; or shares: `equal`, one number, one for each variant, or
    `estimate`. time: of times, of texts as in ISO 8601, or of unix seconds; None: the order of the rows. person: whose
    visits belong together; None: nobody's. reward_range: the least and the greatest that a reward can be. context:
    columns, of which the kind is told by what they hold, or column to `text`, `number`, `flag` or `texts`. default:
    what was shown before there were policies. actions: the variants with their features. name, slot: what reports call
    the log and the choice. now: unix seconds; what is later is counted in `Log.future`.

    Raises MappingError, and LogError with every kind of violation, each counted, with the first row that has it.
    """
    table = as_frame(frame)
    told = {
        "variant": variant, "reward": reward, "propensity": propensity, "shares": shares,
        "probabilities": probabilities, "eligible": eligible, "time": time, "person": person, "id": id,
        "variants": list(variants) if variants is not None else None, "default": default, "slot": slot,
        "reward_range": list(reward_range),
    }  # fmt: skip
    if isinstance(context, str):
        raise MappingError([f"context: {context!r}, expected a list of columns, as [{context!r}]"])
    kinds = context if isinstance(context, Mapping) else _kinds(table, context, name)
    mapping = ColumnMapping.from_dict({**told, "context": kinds})
    return _log(table, mapping, actions=actions, name=name, now=now)


def log_of_table(table: Any, mapping: ColumnMapping, *, actions: Sequence[Action] | None = None) -> Log:
    """The log of an Arrow table or record batch, or of a pandas data frame, as `mapping` says which column is what.

    actions: the vocabulary, the same for every piece of a larger table; by default the mapping's variants, else those
    seen. Codes of persons depend on the person alone, so that those of two pieces agree; anonymous rows have negative
    codes, each its own within the piece. Rows without a time are numbered within the piece. Raises LogError.
    """
    return _log(as_frame(table), mapping, actions=actions, name="table", now=None)


def parquet_log(path: str | Path, mapping: ColumnMapping, *, now: float | None = None) -> Log:
    """The log of a Parquet file of one row a decision, read whole. Raises ParquetError, FileNotFoundError, LogError."""
    path = Path(path)
    with open_parquet(path) as file:
        there = set(file.schema_arrow.names)
        table = file.read(columns=[column for column in dict.fromkeys(mapping.columns) if column in there])
    return _log(table, mapping, actions=None, name=path.name, now=now)


def _log(frame: Any, mapping: ColumnMapping, *, actions: Sequence[Action] | None, name: str, now: float | None) -> Log:
    table = Framed(frame, mapping, name)
    vocabulary = tuple(actions) if actions is not None else tuple(Action(one) for one in _variants(table, mapping))
    ids = [action.id for action in vocabulary]
    if len(set(ids)) < len(ids):
        raise LogError(name, [f"actions: {ids}, expected ids that differ"])
    rounds = _rounds(table, mapping, ids)
    if table.problems.texts:
        raise LogError(name, table.problems.texts)
    persons = -1 - np.arange(table.n)
    if mapping.person is not None:
        persons = readings.persons(table.cells[mapping.person])
    contexts = Contexts(rounds.context, table.n)
    if mapping.id is not None:
        twice = repeated(readings.ids(table.cells[mapping.id]))
    else:
        twice = identical_rounds(persons, rounds.times, rounds.chosen, rounds.rewards, contexts)
    order = np.argsort(rounds.times, kind="stable")
    sort = slice(None) if bool((order[1:] > order[:-1]).all()) else order
    chances, eligible, chosen = rounds.propensities[sort], rounds.eligible[sort], rounds.chosen[sort]
    contexts, persons = contexts.take(sort), persons[sort]
    if mapping.shares == ESTIMATE:
        chances = with_estimated(chances, contexts, eligible, chosen, persons, name=name)
    log = Log(
        actions=vocabulary,
        contexts=contexts,
        eligible=_kept(eligible),
        chosen=_kept(chosen),
        propensities=_kept(chances),
        probabilities=None if rounds.probabilities is None else _kept(rounds.probabilities[sort]),
        rewards=_kept(rounds.rewards[sort]),
        times=_kept(rounds.times[sort]),
        persons=_kept(persons),
        slot=mapping.slot,
        default=mapping.default,
        name=name,
        reward_range=mapping.reward_range,
        timed=mapping.time is not None,
        propensities_estimated=mapping.shares == ESTIMATE,
        duplicates=int(np.count_nonzero(twice)),
    )
    return log if now is None else log.as_of(now)


@dataclass(frozen=True, slots=True, eq=False)
class _Rounds:
    """As the columns of a `Log`, which see, in the order of the table."""

    context: dict[str, Column]
    eligible: Flags
    chosen: Indices
    propensities: Floats
    probabilities: Floats | None
    rewards: Floats
    times: Floats


def _rounds(table: Framed, mapping: ColumnMapping, ids: Sequence[str]) -> _Rounds:
    """Violations are noted in the table, and stand as whatever is harmless."""
    if mapping.default is not None and mapping.default not in ids:
        table.problems.note(f"default {mapping.default!r} is never shown; variants are: {list(ids)[:20]}")
    chosen = _chosen(table, mapping, ids)
    low, high = mapping.reward_range.low, mapping.reward_range.high
    rewards = readings.numbers(table.single(mapping.reward, "reward"))
    table.check(mapping.reward, "reward", ~np.isfinite(rewards), "a finite number")
    outside = np.isfinite(rewards) & ((rewards < low) | (rewards > high))
    table.check(mapping.reward, "reward", outside, f"a number from {low:g} to {high:g} (reward_range)")
    times = np.arange(table.n, dtype=np.float64)
    if mapping.time is not None:
        times = readings.seconds(table.single(mapping.time, "time"))
        table.check(mapping.time, "time", ~np.isfinite(times), "a time, ISO 8601, or unix seconds")
    for column, means in ((mapping.person, "person"), (mapping.id, "id")):
        if column is not None:
            rounded = readings.rounded(table.cells[column])
            table.check(column, means, rounded, "integers or texts: a column of floats has rounded so great a number")
    eligible, places = read_eligible(table, mapping, ids)
    probabilities, eligible = read_probabilities(table, mapping, ids, eligible, places)
    rows = np.arange(table.n)
    if mapping.eligible is not None:
        out = (chosen >= 0) & ~eligible[rows, chosen] & eligible.any(axis=1)
        table.check(mapping.variant, "variant", out, f"one of those eligible, in column {mapping.eligible!r}")
    if mapping.designed:
        design = by_design(mapping, ids, eligible)
        propensities = design[rows, np.maximum(chosen, 0)]
        whole = bool((np.abs(design.sum(axis=1) - 1.0) <= SUM_TOLERANCE).all())
        probabilities = design if whole else None
    else:
        propensities = read_propensities(table, mapping, chosen, eligible, probabilities)
    return _Rounds(
        context={
            column: readings.feature(table.cells[column], kind, table.problems, f"column {column!r} (context)")
            for column, kind in mapping.context.items()
        },
        eligible=eligible,
        chosen=np.maximum(chosen, 0),
        propensities=propensities,
        probabilities=probabilities,
        rewards=rewards,
        times=times,
    )


def _chosen(table: Framed, mapping: ColumnMapping, ids: Sequence[str]) -> Indices:
    """(n,) into `ids`; -1 where there is no variant, or one that is none of them."""
    named = readings.texts(table.single(mapping.variant, "variant"))
    chosen = places_of(named, ids)
    table.check(mapping.variant, "variant", named.missing, "a variant")
    table.check(mapping.variant, "variant", ~named.missing & (chosen < 0), f"one of {list(ids)[:20]}")
    return chosen


def _variants(table: Framed, mapping: ColumnMapping) -> Sequence[str]:
    """Those that the mapping lists, else all that were shown or could be."""
    if mapping.variants is not None:
        return mapping.variants
    seen: set[str] = set(mapping.probabilities) if isinstance(mapping.probabilities, Mapping) else set()
    cells: list[Cells] = [table.cells[mapping.variant]]
    if mapping.eligible is not None:
        cells += [lists.items] if isinstance(lists := table.cells[mapping.eligible], Lists) else []
    for one in cells:
        if not isinstance(one, Lists):
            named = readings.texts(one)
            seen.update(named.levels[code] for code in np.unique(named.codes) if code >= 0)
    return sorted(seen)


def _kinds(frame: Any, context: Sequence[str], name: str) -> dict[str, str]:
    """The kind of each column, told by what it holds."""
    absent = [column for column in context if column not in names_of(frame)]
    if absent:
        raise LogError(name, [f"no column {', '.join(map(repr, absent))}; there are: {names_of(frame)}"])
    kinds, unfit = {}, []
    for column in context:
        try:
            kinds[column] = readings.kind_of(read_column(frame, column))
        except (TypeError, ValueError) as error:
            unfit.append(f"column {column!r}: {error}")
    if unfit:
        raise LogError(name, unfit)
    return kinds


def _kept(values: NDArray[Any]) -> NDArray[Any]:
    """Ours: `Log` need not copy it."""
    values.flags.writeable = False
    return values
