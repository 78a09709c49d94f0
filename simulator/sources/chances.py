"""What could be chosen in each row of a table, and how probable it was: from columns, or from the design of a trial."""

from collections.abc import Mapping, Sequence

import numpy as np

from simulator.logs.rounds import UNKNOWN, Flags, Floats, Indices
from simulator.logs.validation import SUM_TOLERANCE
from simulator.sources import readings
from simulator.sources.columns import Lists, Numeric
from simulator.sources.framed import Framed, places_of
from simulator.sources.mapping import EQUAL, ESTIMATE, ColumnMapping

SUM_SLACK = 1e-3
"""How far probabilities may miss 1: many tables keep them in single precision. They are normalised."""


def read_eligible(table: Framed, mapping: ColumnMapping, ids: Sequence[str]) -> tuple[Flags, Indices | None]:
    """(n, K) what could be chosen; and of each item of the lists its place in `ids`, None without such a column."""
    if mapping.eligible is None:
        return np.broadcast_to(np.True_, (table.n, len(ids))), None  # takes no memory
    cells = table.cells[mapping.eligible]
    if not isinstance(cells, Lists):
        table.check(mapping.eligible, "eligible", np.ones(table.n, dtype=bool), "a list of variants")
        return np.broadcast_to(np.True_, (table.n, len(ids))), None
    places, rows = places_of(readings.texts(cells.items), ids), cells.rows
    table.check(mapping.eligible, "eligible", cells.sizes == 0, "a list of variants, of at least one")
    unknown = np.bincount(rows[places < 0], minlength=table.n) > 0
    table.check(mapping.eligible, "eligible", unknown, f"some of {list(ids)[:20]}")
    eligible = np.zeros((table.n, len(ids)), dtype=bool)
    eligible[rows[places >= 0], places[places >= 0]] = True
    return eligible, places


def read_probabilities(
    table: Framed, mapping: ColumnMapping, ids: Sequence[str], eligible: Flags, places: Indices | None
) -> tuple[Floats | None, Flags]:
    """(n, K) as told, normalised, or None; and what could be chosen, which a column for each variant tells too."""
    told = mapping.probabilities
    if told is None:
        return None, eligible
    found = np.zeros((table.n, len(ids)))
    if isinstance(told, str):
        cells, first = table.cells[told], told
        sizes = table.cells[mapping.eligible].sizes if places is not None else np.full(table.n, len(ids))  # type: ignore[index, union-attr]
        if not isinstance(cells, Lists) or not isinstance(cells.items, Numeric):
            table.check(told, "probabilities", np.ones(table.n, dtype=bool), "a list of numbers")
            return None, eligible
        short = cells.sizes != sizes
        of_what = "eligible variant" if places is not None else f"of {list(ids)[:20]}"
        table.check(told, "probabilities", short, f"as many numbers as there are variants, one for each {of_what}")
        if short.any():
            return None, eligible
        columns = cells.places if places is None else places
        found[cells.rows[columns >= 0], columns[columns >= 0]] = cells.items.values[columns >= 0]
    else:
        first = next(iter(told.values()))
        for variant, column in told.items():
            found[:, ids.index(variant)] = readings.numbers(table.single(column, "probabilities"))
        if mapping.eligible is None:
            eligible = ~np.isnan(found)  # a variant without a probability could not be chosen
        found[np.isnan(found)] = 0.0
    sums = found.sum(axis=1)
    bad = ~(np.isfinite(found) & (found >= 0.0)).all(axis=1)
    off = ~bad & ~(np.abs(sums - 1.0) <= SUM_SLACK)
    table.check(first, "probabilities", bad, "numbers of at least 0")
    table.problems.check(f"column {first!r} (probabilities)", off, sums, "a sum of 1")
    if (bad | off).any():
        return None, eligible
    return found / sums[:, None], eligible


def read_propensities(
    table: Framed, mapping: ColumnMapping, chosen: Indices, eligible: Flags, probabilities: Floats | None
) -> Floats:
    """(n,) of what was chosen: from its column, or from the probabilities; nan where they are to be estimated."""
    rows, places = np.arange(table.n), np.maximum(chosen, 0)
    drawn = None if probabilities is None else probabilities[rows, places]
    if mapping.propensity is None:
        if mapping.shares == ESTIMATE:
            return np.full(table.n, UNKNOWN)
        if drawn is None or mapping.probabilities is None:  # they were noted as wrong
            return np.ones(table.n)
        column = mapping.probabilities if isinstance(mapping.probabilities, str) else mapping.variant
        table.check(column, "probabilities", (chosen >= 0) & (drawn <= 0.0), "more than 0 for the variant chosen")
        return drawn
    told = readings.propensities(table.single(mapping.propensity, "propensity"))
    right = (told > 0.0) & (told <= 1.0)
    table.check(mapping.propensity, "propensity", ~right, "a number in (0, 1]")
    alone = right & (eligible.sum(axis=1) == 1) & ~(np.abs(told - 1.0) <= SUM_TOLERANCE)
    table.check(mapping.propensity, "propensity", alone, "1, since only one variant is eligible")
    if drawn is None:
        return told
    differs = right & (chosen >= 0) & ~(np.abs(drawn - told) <= SUM_SLACK)
    table.check(mapping.propensity, "propensity", differs, "what the probabilities say of the variant chosen")
    return drawn


def by_design(mapping: ColumnMapping, ids: Sequence[str], eligible: Flags) -> Floats:
    """(n, K) the share of each variant. Where only the share of what is chosen is known, it stands for all of them."""
    if isinstance(mapping.shares, Mapping):
        return np.broadcast_to(np.array([mapping.shares.get(one, 0.0) for one in ids]), eligible.shape)
    if mapping.shares == EQUAL and mapping.eligible is None:
        return np.broadcast_to(1.0 / len(ids), eligible.shape)
    if mapping.shares == EQUAL:
        equal: Floats = eligible / np.maximum(1, eligible.sum(axis=1, keepdims=True))
        return equal
    assert mapping.shares is not None, "chances in columns are read from there"
    return np.where(eligible, float(mapping.shares), 0.0)
