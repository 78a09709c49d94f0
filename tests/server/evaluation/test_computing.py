"""A stored evaluation: asked for, computed, and computed again to the same bytes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from server.errors import Conflict, InvalidRequest, Unavailable
from server.evaluation import log as log_module
from server.evaluation.__main__ import answer_to
from server.evaluation.asking import ask, drafted
from server.evaluation.computing import compute, keep, repeat, without_persons
from server.evaluation.request import EvaluationRequest
from server.people import erase_person
from server.records import State
from server.store import evaluations as rows
from server.store.database import Database
from server.store.evaluations import EvaluationState, StoredEvaluation

ASKED = EvaluationRequest("hero", slot="headline", by=("country",), estimators=("dr",))
LEARNER = replace(ASKED, policies=("linear",))


@pytest.fixture
def matured(put: Any, hero: str, log: Any, clock: Any, new_trainer: Callable[..., Any]) -> None:
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    for _ in range(5):
        log.visits(100)
        clock.move(minutes=10)
    clock.move(hours=1)
    new_trainer().step(clock())


@pytest.fixture
def kept(database: Database, matured: None, clock: Any) -> StoredEvaluation:
    draft = drafted(database, ASKED, evaluation_id="e1", now=clock())
    return keep(database, draft, compute(database, draft), now=clock())


def test_what_is_kept_is_what_was_computed(database: Database, kept: StoredEvaluation) -> None:
    with database.reading() as connection:
        read = rows.read(connection, "e1")
    assert read == kept
    assert (read.state, read.progress) == (EvaluationState.DONE, 1.0)
    assert EvaluationRequest.from_document(read.request) == ASKED
    assert read.provenance["extent"] == {"through": 500, "version": 1, "snapshot": None, "counted": 500}
    assert read.provenance["left_out"] == {}
    assert {"elige", "numpy", "python", "vowpalwabbit"} <= set(read.provenance["versions"])
    assert read.result is not None
    assert [group["name"] for group in read.result["groups"]] == ["PT", "ES"]


def test_again_gives_the_same_bytes_whatever_came_since(
    database: Database, matured: None, log: Any, clock: Any, new_trainer: Any, put: Any, hero: str
) -> None:
    draft = drafted(database, LEARNER, evaluation_id="e1", now=clock())
    kept = keep(database, draft, compute(database, draft), now=clock())
    # another version, which would read the log otherwise; and more of the log
    put(hero.replace("range: [0, 3]", "range: [0, 9]").replace("country: text", "country: text, language: text"))
    log.visits(100)
    clock.move(hours=2)
    new_trainer().step(clock())
    repeated = repeat(database, kept)
    assert (repeated.differs, repeated.because) == ((), ())
    before = {**(kept.result or {}), "provenance": None}
    now = {**repeated.computed.result, "provenance": None}
    assert orjson.dumps(now, option=orjson.OPT_SORT_KEYS) == orjson.dumps(before, option=orjson.OPT_SORT_KEYS)
    # without the extent it would be another
    anew = compute(database, drafted(database, ASKED, evaluation_id="e2", now=clock()))
    assert anew.result["log"]["n"] == 600


def test_again_says_what_differs_and_why(
    database: Database, matured: None, log: Any, clock: Any, new_trainer: Any
) -> None:
    log.decide([{"country": "ES"}] * 3, person="ana")
    clock.move(hours=1)
    new_trainer().step(clock())
    draft = drafted(database, ASKED, evaluation_id="e1", now=clock())
    kept = keep(database, draft, compute(database, draft), now=clock())
    erase_person(database, "ana", now=clock(), erasure_id="e" * 32)
    other = {**kept.provenance, "versions": {**kept.provenance["versions"], "numpy": "1.0"}}
    repeated = repeat(database, replace(kept, provenance=other))
    assert "log.n: 503 then, 500 now" in repeated.differs
    assert any(line.startswith("rows[logged].estimates.mean.value: ") for line in repeated.differs)
    gone, package = repeated.because
    assert gone == "3 decisions that it saw are gone: erased, or past their retention"
    assert package.startswith("numpy 1.0 then, ")


@pytest.fixture
def persons(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> str:
    """Of each of them there is a decision in the first piece that is read, and one in the last."""
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    monkeypatch.setattr(log_module, "CHUNK", 80)
    for _ in range(2):
        for person in "abcdefg":
            log.decide([{"country": "ES"}], person=person)
        clock.move(minutes=10)
        log.visits(73)
        clock.move(hours=1)
    new_trainer().step(clock())
    return "abcdefg"


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_a_log_that_changes_while_it_is_read_is_read_as_of_one_moment(
    database: Database, persons: str, clock: Any, set_to: Any, put: Any, hero: str
) -> None:
    erased = iter(persons[:2])

    def meanwhile(stage: str, done: float) -> None:
        if stage == "reading the log" and 0.0 < done < 1.0 and (person := next(erased, None)):
            erase_person(database, person, now=clock(), erasure_id=person * 32)
            if person == "a":
                put(hero.replace("country: text", "country: text, language: text"))
            else:
                set_to("hero", State.ARCHIVED)

    draft = drafted(database, ASKED, evaluation_id="e1", now=clock())
    assert draft.provenance["extent"]["counted"] == 160
    kept = keep(database, draft, compute(database, draft, progress=meanwhile), now=clock())
    assert next(erased, None) is None  # it was read three times
    assert (kept.provenance["counted"], kept.provenance["left_out"]) == (156, {"erased": 4})
    assert (kept.result or {})["log"]["n"] == 156
    same = repeat(database, kept)
    assert (same.differs, same.because) == ((), ())
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE rewards SET excluded = 'erased', reward = NULL WHERE sequence = 8")
    other = repeat(database, kept)
    assert "log.n: 156 then, 155 now" in other.differs
    assert other.because == ("1 decision that it saw is gone: erased, or past their retention",)


def test_a_log_that_never_stops_changing_is_not_read(database: Database, url: str, persons: str, clock: Any) -> None:
    left = iter(persons)

    def meanwhile(stage: str, done: float) -> None:
        if stage == "reading the log" and 0.0 < done < 1.0:
            erase_person(database, (person := next(left)), now=clock(), erasure_id=person * 32)

    asked = ask(database, ASKED, evaluation_id="e1", now=clock())
    with pytest.raises(Unavailable, match="decisions of 'hero' are erased or dropped while they are read"):
        compute(database, asked, progress=meanwhile)
    assert answer_to(url, asked.id, progress=lambda stage, done: None)["result"]["log"]["n"] == 150


def test_a_group_that_may_be_a_person_is_not_named(database: Database, kept: StoredEvaluation) -> None:
    result = kept.result or {}
    first = result["groups"][0]
    logged, *others = first["rows"]
    mean = {**logged["estimates"]["mean"], "clusters": 9}
    few = {
        **first,
        "name": "ana@example.org",
        "note": "ana",
        "rows": [{**logged, "estimates": {"mean": mean}}, *others],
    }
    refused = {**first, "name": "berta", "rows": [], "refusal": "a single person"}
    pooled = {**refused, "name": "(other: 3 values)"}
    view = {"kind": "group", "key": "label", "groups": [few]}
    month = {"kind": "time", "key": "30d", "groups": [{**few, "name": "2026-03-01"}]}
    found = without_persons({**result, "groups": [first, few, refused, pooled], "views": [view, month]})
    names = [group["name"] for group in found["groups"]]
    assert names == ["PT", "(fewer than 10 people)", "(fewer than 10 people)", "(other: 3 values)"]
    assert found["groups"][1]["note"] == ""
    assert found["groups"][1]["rows"] == few["rows"]
    assert [one["groups"][0]["name"] for one in found["views"]] == ["(fewer than 10 people)", "2026-03-01"]
    others = {**refused, "name": "(otros: 3 valores)"}
    spanish = without_persons({**result, "groups": [few, others], "views": []}, lang="es")
    assert [group["name"] for group in spanish["groups"]] == ["(menos de 10 personas)", "(otros: 3 valores)"]


@pytest.mark.parametrize(
    ("request_", "change", "code", "told"),
    [
        (ASKED, "UPDATE campaigns SET campaign = 'other'", "NOT_FOUND", "no campaign 'hero version 1'"),
        (ASKED, "DELETE FROM rewards", "INVALID_ARGUMENT", "has no decision in this period"),
        (ASKED, "UPDATE rewards SET reward = 0, slot_rewards = '{}'", "FAILED_PRECONDITION", "reward"),
        (replace(ASKED, policies=("fixed:nope",)), "SELECT 1", "FAILED_PRECONDITION", "no variant 'nope'"),
        (ASKED, "UPDATE choices SET eligible = '7'", "INTERNAL", "a defect of the service"),
    ],
)
def test_why_it_failed(
    database: Database,
    url: str,
    matured: None,
    clock: Any,
    sql: Any,
    request_: EvaluationRequest,
    change: str,
    code: str,
    told: str,
) -> None:
    asked = ask(database, request_, evaluation_id="e1", now=clock())
    with database.writing() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.exec_driver_sql(change)
        if "campaigns" in change:
            connection.exec_driver_sql("UPDATE decisions SET campaign = 'other'")
    answer = answer_to(url, asked.id, progress=lambda stage, done: None)
    assert (answer["code"], told in answer["error"]) == (code, True), answer


def test_progress_is_told(database: Database, url: str, matured: None, clock: Any) -> None:
    told: list[tuple[str, float]] = []
    asked = ask(database, LEARNER, evaluation_id="e1", now=clock())
    answer = answer_to(url, asked.id, progress=lambda stage, done: told.append((stage, done)))
    assert answer["result"]["headline"] == "dr"
    assert told[0] == ("reading the log", 0.0)
    assert ("training linear", 1.0) in told
    assert all(0.0 <= done <= 1.0 for _, done in told)


def test_a_request_that_is_repeated_is_answered_whatever_became_of_its_campaign(
    database: Database, matured: None, clock: Any, sql: Any, put: Any, hero: str
) -> None:
    def again(request: EvaluationRequest = ASKED) -> str:
        return ask(database, request, evaluation_id="e2", now=clock(), request_id="r1").id

    ask(database, ASKED, evaluation_id="e1", now=clock(), request_id="r1")
    put(hero.replace("headline:", "title:"))
    assert again() == "e1"
    with pytest.raises(InvalidRequest, match="has no slot 'headline'"):
        ask(database, ASKED, evaluation_id="e3", now=clock(), request_id="r2")
    with pytest.raises(Conflict, match="'r1' was used before with another payload"):
        again(replace(ASKED, seed=1))
    # as a version kept it that had no grids to ask for
    older = {name: value for name, value in ASKED.document().items() if name != "grid"}
    sql("UPDATE evaluations SET request = :older, request_hash = 'another'", older=orjson.dumps(older).decode())
    assert again() == "e1"
