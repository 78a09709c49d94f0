"""An evaluation as flat records, of which any data frame is made."""

from collections.abc import Iterator, Mapping, Sequence

from simulator.evaluation import Evaluation, Group
from simulator.rows import Row

Record = Mapping[str, str | float | bool | None]

WHOLE = "whole"
"""The view of the rows that are judged on everything."""


def to_records(evaluation: Evaluation) -> list[Record]:
    """One record for each policy, estimator and view, all with the same keys: `pandas.DataFrame(to_records(...))`.

    view: `whole`, `group`, `time`, `slot` or `metric`; key: what its groups differ in, such as `country`; group: which
    of them. gain: how much more than what was served, beside the estimate to read first alone. What was refused has one
    record, with the reason in `refusal` and None in place of numbers: a whole group has no policy either.
    """
    found = list(_of_rows(evaluation, evaluation.rows, WHOLE, None, None))
    if evaluation.groups:
        found += _of_groups(evaluation, evaluation.groups, "group", evaluation.by)
    for view in evaluation.views:
        found += _of_groups(evaluation, view.groups, view.kind, view.key or None)
    return found


def _of_groups(evaluation: Evaluation, groups: Sequence[Group], view: str, key: str | None) -> Iterator[Record]:
    for group in groups:
        if group.rows:
            yield from _of_rows(evaluation, group.rows, view, key, group.name)
        else:
            yield _record(evaluation, None, None, refusal=group.refusal, n=group.n) | _place(view, key, group.name)


def _of_rows(
    evaluation: Evaluation, rows: Sequence[Row], view: str, key: str | None, group: str | None
) -> Iterator[Record]:
    for row in rows:
        for name in row.estimates or (None,):
            yield _place(view, key, group) | _record(evaluation, row, name, refusal=row.refusal, n=row.n)


def _place(view: str, key: str | None, group: str | None) -> dict[str, str | float | bool | None]:
    return {"view": view, "key": key, "group": group}


def _record(
    evaluation: Evaluation, row: Row | None, estimator: str | None, *, refusal: str | None, n: int
) -> dict[str, str | float | bool | None]:
    found = row.estimates[estimator] if row and estimator else None
    gain = row.gain if row and found is evaluation.estimate(row) else None
    about = row.diagnostics if row else None
    return {
        "policy": row.name if row else None,
        "role": row.role if row else None,
        "estimator": estimator,
        "value": found.value if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "standard_error": found.standard_error if found else None,
        "interval": found.interval if found else None,
        "gain": gain.value if gain else None,
        "gain_low": gain.low if gain else None,
        "gain_high": gain.high if gain else None,
        "n": n,
        "ess": found.ess if found else None,
        "support": about.support if about else None,
        "truth": row.truth if row else None,
        "regret": row.regret if row else None,
        "forced": row.forced if row else False,
        "refusal": refusal,
    }
