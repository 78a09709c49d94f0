"""Computing a stored evaluation, at first or again: the same log extent, seed and packages give the same bytes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from server.evaluation.asking import extent_asked
from server.evaluation.provenance import versions
from server.evaluation.request import EvaluationRequest
from server.evaluation.run import judge, read_asked
from server.evaluation.stored import Stored
from server.store import evaluations as evaluation_rows
from server.store.database import Database
from server.store.evaluations import EvaluationState, StoredEvaluation
from simulator import Evaluation, Progress
from simulator.groups import NAMES, is_pooled

FEWEST_PERSONS = 10
"""A group of fewer keeps its numbers and loses its name: what they have in common might say who they are."""


@dataclass(frozen=True, slots=True)
class Computed:
    """evaluation: what was computed. result: its dictionary; provenance: what it was made of and by; both as they are
    kept.
    """

    evaluation: Evaluation
    result: Mapping[str, Any]
    provenance: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Repeated:
    """An evaluation that was computed again. differs: numbers that are not what they were, with both; empty where the
    result is the same, byte for byte. because: what is known to be otherwise: packages, decisions that are gone.
    """

    computed: Computed
    differs: tuple[str, ...]
    because: tuple[str, ...]


def compute(database: Database, stored: StoredEvaluation, *, progress: Progress = lambda what, done: None) -> Computed:
    """Raises what reading the log and judging by it do."""
    request, extent = EvaluationRequest.from_document(stored.request), extent_asked(stored)
    source = Stored(database, extent)
    reading = read_asked(source, request, now=stored.created_at.timestamp(), progress=progress)
    evaluation = judge(source, request, reading, progress=progress)
    assert reading.counted is not None
    guessed = ("no_propensity",) if request.estimate_propensities else ()
    provenance = {
        **stored.provenance,
        "versions": versions(),
        "counted": reading.counted.matured,
        "left_out": {why: many for why, many in reading.counted.left_out.items() if why not in guessed},
    }
    return Computed(evaluation, _plain(without_persons(evaluation.to_dict(), lang=request.lang)), _plain(provenance))


def repeat(database: Database, stored: StoredEvaluation, *, progress: Progress = lambda what, done: None) -> Repeated:
    """Compute an evaluation that is done again, on what is left of the same log extent. Raises what `compute` does."""
    computed = compute(database, stored, progress=progress)
    before, now = ({**result, "provenance": None} for result in (stored.result or {}, computed.result))
    differs = tuple(_differences(before, now, ""))
    return Repeated(computed, differs, tuple(_because(stored, computed)))


def keep(database: Database, drafted: StoredEvaluation, computed: Computed, *, now: datetime) -> StoredEvaluation:
    """Store an evaluation that was computed here, as done."""
    done = replace(
        drafted,
        state=EvaluationState.DONE,
        started_at=drafted.created_at,
        finished_at=now,
        attempts=1,
        progress=1.0,
        provenance=computed.provenance,
        result=computed.result,
    )
    with database.writing(evaluation_rows.TURN) as connection:
        return evaluation_rows.append(connection, done)


def without_persons(result: Mapping[str, Any], *, lang: str = "en") -> dict[str, Any]:
    """The result without the names of groups in which there are fewer than FEWEST_PERSONS, or nobody knows how many."""

    def checked(groups: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [_unnamed(group, lang) if _may_name(group) else group for group in groups]

    views = [
        {**view, "groups": checked(view["groups"])} if view["kind"] == "group" else view for view in result["views"]
    ]
    return {**result, "groups": checked(result["groups"]), "views": views}


def _may_name(group: Mapping[str, Any]) -> bool:
    if is_pooled(group["name"]):
        return False
    logged = next((row["estimates"].get("mean") for row in group["rows"]), None)
    return logged is None or logged["clusters"] < FEWEST_PERSONS


def _unnamed(group: Mapping[str, Any], lang: str) -> dict[str, Any]:
    return {**group, "name": NAMES[lang].few_people.format(n=FEWEST_PERSONS), "note": ""}


def _plain(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))


def _because(stored: StoredEvaluation, computed: Computed) -> Iterator[str]:
    gone = stored.provenance.get("counted", extent_asked(stored).counted) - computed.provenance["counted"]
    if gone:
        which = "1 decision that it saw is" if gone == 1 else f"{gone:,} decisions that it saw are"
        yield f"{which} gone: erased, or past their retention"
    before, now = stored.provenance.get("versions", {}), computed.provenance["versions"]
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield f"{name} {before.get(name, 'not there')} then, {now.get(name, 'not there')} now"


def _differences(before: Any, now: Any, where: str) -> Iterator[str]:
    """Each value that differs, by its place in the result."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys((*before, *now)):
            yield from _differences(before.get(name), now.get(name), f"{where}.{name}" if where else name)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for place, (one, other) in enumerate(zip(before, now, strict=True)):
            named = one["name"] if isinstance(one, Mapping) and "name" in one else place
            yield from _differences(one, other, f"{where}[{named}]")
    elif before != now or type(before) is not type(now):
        yield f"{where}: {_short(before)} then, {_short(now)} now"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
