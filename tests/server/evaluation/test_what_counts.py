"""A log with decisions of every kind, told apart by a label, and counted here by nothing but SQL."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from server.evaluation.asking import drafted
from server.evaluation.computing import compute
from server.evaluation.request import EvaluationRequest
from server.evaluation.run import run
from server.evaluation.stored import Stored
from server.files.export import export_log
from server.files.exported import Exported
from server.people import erase_person
from server.store import training as training_rows
from server.store.database import Database
from simulator import to_json

EACH = 12
"""Decisions of each kind."""
DRAWN, KNOWN = 192, "observed, known"
BEFORE: Mapping[str, str] = {
    "fallback": "UPDATE choices SET kind = 'fallback', reason = 'nothing_eligible', propensity = 1, eligible = '[]', "
    "probabilities = '[]' WHERE slot = 'headline' AND ",
    KNOWN: "UPDATE choices SET kind = 'observed', reason = 'observed' WHERE ",
    "observed, unknown": "UPDATE choices SET kind = 'observed', reason = 'observed', propensity = NULL, "
    "probabilities = '[]' WHERE ",
    "control": "UPDATE decisions SET group_name = 'control' WHERE ",
    "headline never shown": "UPDATE choices SET activated_at = NULL WHERE slot = 'headline' AND ",
    "superseded": "DELETE FROM windows WHERE ",
}
"""What makes plain decisions those of another kind before their windows close."""
AFTER: Mapping[str, str] = {
    "expired": "UPDATE rewards SET excluded = 'expired', reward = NULL, slot_rewards = '{}' WHERE ",
    "cancelled": "UPDATE rewards SET excluded = 'cancelled', reward = NULL, slot_rewards = '{}' WHERE ",
    "no answer": "UPDATE rewards SET error = 'not finite', reward = NULL, slot_rewards = '{}' WHERE ",
}
"""And after."""
OF_KIND = "decision_id IN (SELECT decision_id FROM decisions WHERE labels ->> 'kind' = :kind)"
COUNTED = """
SELECT labels ->> 'kind' FROM rewards JOIN decisions USING (decision_id) JOIN choices USING (decision_id)
WHERE slot = '{slot}' AND excluded IS NULL AND error IS NULL AND erased_at IS NULL AND group_name = 'policy'
AND kind IN ({kinds}) AND propensity IS NOT NULL AND choices.activated_at IS NOT NULL
"""


def of(kind: str) -> Mapping[str, Any]:
    return {"labels": {"kind": kind}}


@pytest.fixture
def learned(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, sql: Any) -> dict[str, int]:
    """Every kind of decision; the examples that were learned of each slot."""
    put(hero.replace("context:", "policy: linear\ncontext:"))
    contexts = [{"country": "ES" if i % 2 else "PT"} for i in range(EACH)]
    for kind in [*["drawn"] * (DRAWN // EACH), *BEFORE, *AFTER]:
        for one in log.decide(contexts, **of(kind)):
            if (one.choices[0].variant == "price") == (one.context["country"] == "ES"):
                log.happen(one)
        clock.move(minutes=1)
    log.decide(contexts, person="ana", **of("erased"))
    for kind, change in BEFORE.items():
        sql(change + OF_KIND, kind=kind)
    clock.move(hours=1)
    log.decide(contexts, **of("window open"))
    new_trainer().step(clock())
    with log.database.reading() as connection:
        number = training_rows.newest_snapshot_id(connection, "hero")
        assert number is not None
        snapshot = training_rows.read_snapshot(connection, number)
        assert snapshot is not None
    for kind, change in AFTER.items():
        sql(change + OF_KIND, kind=kind)
    erase_person(log.database, "ana", now=clock(), erasure_id="e" * 32)
    return {state.slot: state.examples for state in snapshot.slots}


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_exactly_those_count_that_should(
    learned: Any, database: Database, sql: Any, clock: Any, tmp_path: Path
) -> None:
    def counted(kinds: str, slot: str = "headline") -> Counter[str]:
        return Counter(kind for (kind,) in sql(COUNTED.format(kinds=kinds, slot=slot)))

    judged = counted("'policy', 'observed'")
    assert judged == {"drawn": DRAWN, KNOWN: EACH}
    assert learned == {
        "headline": DRAWN + (len(AFTER) + 1) * EACH,  # what came after its window was learned before
        "cta": DRAWN + (len(AFTER) + 3) * EACH,  # the other slot of those whose headline fell back, or was never shown
    }
    export_log(database, tmp_path / "out")
    matured = sql("SELECT count(*) FROM rewards")[0][0]
    for slot in ("headline", None):
        request = EvaluationRequest("hero", slot=slot, estimators=("dr",), by=("country",))
        computed = compute(database, drafted(database, request, evaluation_id="e1", now=clock()))
        left_out = dict(computed.provenance["left_out"])
        assert computed.result["log"]["n"] == judged.total()
        assert left_out.pop("window_open") == EACH
        assert set(left_out.values()) == {EACH, 2 * EACH}
        assert judged.total() + sum(left_out.values()) == matured, left_out
        assert left_out["not_activated"] == 2 * EACH, "those of which nothing was shown, and those not in this slot"
        ours = run(Stored(database), request, now=clock().timestamp())
        theirs = run(Exported(tmp_path / "out"), request, now=clock().timestamp())
        assert to_json(ours) == to_json(theirs)


def test_what_is_left_out_of_a_page_is_counted_once(learned: Any, database: Database, sql: Any, clock: Any) -> None:
    """One slot fell back and nobody knows how probable the other was; one was made when there was no such slot."""
    two = sql("SELECT decision_id FROM rewards ORDER BY sequence LIMIT 2")
    (first,), (second,) = two
    sql("UPDATE choices SET kind = 'fallback' WHERE slot = 'cta' AND decision_id = :id", id=first)
    sql("UPDATE choices SET propensity = NULL WHERE slot = 'headline' AND decision_id = :id", id=first)
    sql("DELETE FROM choices WHERE slot = 'cta' AND decision_id = :id", id=second)
    computed = compute(database, drafted(database, EvaluationRequest("hero"), evaluation_id="e1", now=clock()))
    left_out = computed.provenance["left_out"]
    assert (left_out["no_slot"], left_out["fallback"]) == (1, EACH + 1)
    assert computed.result["log"]["n"] == DRAWN + EACH - 2
