"""The service as its doors use it: answers are durable, requests are safe to repeat, outcomes find their decision."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from policies.types import Action, Features, Pmf
from server.campaigns.file import MAX_FILE, CampaignFileError
from server.decide import DecideRequest, SlotOptions
from server.errors import (
    Conflict,
    InvalidRequest,
    NoSuchCampaign,
    NotDeclared,
    Unavailable,
    VersionConflict,
    WrongState,
)
from server.ids import make_decision_id
from server.outcomes import RewardRequest
from server.records import Decision, OutcomeStatus, Reason, Recorded, State
from server.service import Decided, Service
from server.store.database import Database

ACCEPTED, PENDING, LATE, DUPLICATE = OutcomeStatus
Sql = Callable[..., list[Any]]
InService = Callable[..., Any]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test here runs on both databases."""
    metafunc.parametrize("url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture(autouse=True)
def campaign(put: Any, hero: str) -> None:
    put(hero)


def request(**given: Any) -> DecideRequest:
    return DecideRequest("hero", **given)


def decided(in_service: InService, **given: Any) -> Decision:
    async def scenario(service: Service) -> Decision:
        return (await service.decide(request(**given))).decision

    made: Decision = in_service(scenario)
    return made


def told(in_service: InService, decision: Decision | str, **given: Any) -> Recorded:
    decision_id = decision if isinstance(decision, str) else decision.id

    async def scenario(service: Service) -> Recorded:
        return await service.reward(RewardRequest(decision_id, **given))

    answer: Recorded = in_service(scenario)
    return answer


# --- deciding


def test_an_answer_is_in_the_log(in_service: InService, sql: Sql) -> None:
    decision = decided(in_service, person="ana@example.com", context={"country": "ES", "x": 1}, labels={"page": "/"})
    columns = ", ".join(f"CAST({name} AS TEXT)" for name in ("context", "labels", "ignored_context"))
    (row,) = sql(f"SELECT decision_id, {columns} FROM decisions")
    assert tuple(row) == (decision.id, '{"country":"ES"}', '{"page":"/"}', '["x"]')
    assert "ana" not in str(sql("SELECT * FROM decisions")) + str(sql("SELECT * FROM choices"))


@pytest.mark.parametrize("flag", ["dry_run", "opted_out"])
def test_what_is_not_logged_leaves_nothing_behind(flag: str, in_service: InService, sql: Sql) -> None:
    decision = decided(in_service, request_id="r", **{flag: True})
    assert decision.id == ""
    assert sql("SELECT * FROM decisions") == []
    # nor does it take the request id from the real one
    assert decided(in_service, request_id="r").id


def test_a_campaign_applied_a_moment_ago_is_found(in_service: InService, put: Any, hero: str, clock: Any) -> None:
    async def scenario(service: Service) -> Decided:
        with pytest.raises(NoSuchCampaign, match="no campaign 'other'; known: 'hero'"):
            await service.decide(DecideRequest("other"))
        put(hero.replace("campaign: hero", "campaign: other"))  # and at once, before any look is due
        return await service.decide(DecideRequest("other"))

    assert in_service(scenario).decision.campaign == "other"


def test_thousands_that_miss_look_once(in_service: InService, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(service: Service) -> int:
        looks: list[int] = []
        changed = service._loader.changed
        monkeypatch.setattr(service._loader, "changed", lambda known: looks.append(1) or changed(known))
        await asyncio.sleep(0.06)
        requests = [service.decide(DecideRequest(f"no-{i}")) for i in range(3_000)]
        answers = await asyncio.gather(*requests, return_exceptions=True)
        assert {type(answer) for answer in answers} == {NoSuchCampaign}
        return len(looks)

    assert in_service(scenario) <= 10


def test_after_closing_nothing_is_taken(database: Database, clock: Any) -> None:
    async def scenario() -> None:
        service = Service(database, clock=clock, entropy=bytes)
        await service.refresh()
        await service.close()
        with pytest.raises(Unavailable, match="shutting down"):
            await service.decide(request())

    asyncio.run(scenario())


def test_windows_can_be_cut_short(database: Database, clock: Any) -> None:
    async def scenario() -> None:
        service = Service(database, clock=clock, entropy=bytes, longest_window=timedelta(seconds=5))
        await service.refresh()
        made = (await service.decide(request())).decision
        assert made.window_closes_at == clock.now + timedelta(seconds=5)
        await service.close()

    asyncio.run(scenario())


class Broken:
    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        return np.full(len(actions), math.nan)


def test_a_failing_policy_is_told_once_and_the_default_is_stored(
    in_service: InService, said: list[Any], sql: Sql
) -> None:
    async def scenario(service: Service) -> set[Reason]:
        served = service.catalogue.get("hero")
        slots = {name: replace(slot, policy=Broken()) for name, slot in served.slots.items()}
        service.catalogue.put(replace(served, slots=slots))
        answers = await asyncio.gather(*[service.decide(request()) for _ in range(50)])
        return {answer.decision.reason for answer in answers}

    assert in_service(scenario) == {Reason.POLICY_FAILED}
    assert [(entry["slot"], type(entry["exc_info"]).__name__) for entry in said] == [
        ("headline", "InvalidPmf"),
        ("cta", "InvalidPmf"),
    ]
    assert sql("SELECT DISTINCT variant, propensity FROM choices ORDER BY 1") == [("hours", 1.0), ("try", 1.0)]


def test_a_newer_snapshot_is_swapped_in(
    in_service: InService, log: Any, clock: Any, new_trainer: Any, database: Database
) -> None:
    trainer = new_trainer()

    async def scenario(service: Service) -> list[int | None]:
        seen = [(await service.decide(request())).decision.snapshot]
        for _ in range(2):
            log.visits(20)
            trainer.step(clock.move(hours=1))
            await service.refresh()
            seen.append((await service.decide(request())).decision.snapshot)
        return seen

    first, second, third = in_service(scenario)
    assert first is None
    assert second < third


# --- the same request again


def test_a_request_repeated_at_once_is_decided_once(in_service: InService, sql: Sql) -> None:
    async def scenario(service: Service) -> list[Decided]:
        return await asyncio.gather(*[service.decide(request(request_id="r", person="ana")) for _ in range(200)])

    answers = in_service(scenario)
    assert len({answer.decision.id for answer in answers}) == 1
    assert sum(not answer.repeated for answer in answers) == 1
    shown = [[(choice.variant, choice.content, choice.probabilities) for choice in a.decision.choices] for a in answers]
    assert all(one == shown[0] for one in shown)
    assert len(sql("SELECT * FROM decisions")) == 1


def test_a_request_repeated_after_a_restart_gets_the_first_answer_as_it_was(
    in_service: InService, put: Any, hero: str, clock: Any
) -> None:
    brought = {"headline": SlotOptions(exclude=frozenset({"trust"}))}
    first = decided(in_service, request_id="r", context={"country": "ES"}, options=brought)
    put(hero.replace("Gana 3 horas", "Otra cosa").replace("Desde 9 €", "Otra").replace("12.000", "otra"))
    clock.move(days=1)

    async def again(service: Service) -> Decided:
        return await service.decide(request(request_id="r", context={"country": "ES"}, options=brought))

    answer = in_service(again, seed=99)
    assert answer.repeated
    assert answer.decision == first


@pytest.mark.parametrize(
    "other",
    [
        {"person": "eva"},
        {"context": {"country": "PT"}},
        {"labels": {"x": None}},
        {"options": {"headline": SlotOptions(exclude=frozenset({"x"}))}},
        {"slots": frozenset({"cta"})},
    ],
    ids=str,
)
def test_another_payload_under_a_known_request_id_is_a_conflict(
    other: dict[str, Any], in_service: InService, sql: Sql
) -> None:
    async def scenario(service: Service) -> None:
        await service.decide(request(request_id="r"))
        with pytest.raises(Conflict, match="'r' was used before with another payload"):
            await service.decide(request(request_id="r", **other))
        assert (await service.decide(request(request_id="r"))).repeated

    in_service(scenario)
    assert len(sql("SELECT * FROM decisions")) == 1


def test_a_request_id_belongs_to_its_campaign(in_service: InService, put: Any, hero: str) -> None:
    put(hero.replace("campaign: hero", "campaign: other"))

    async def scenario(service: Service) -> list[Decided]:
        return [await service.decide(DecideRequest(name, request_id="r")) for name in ("hero", "other")]

    assert [answer.repeated for answer in in_service(scenario)] == [False, False]


@pytest.mark.parametrize("text", [" ", "a|b:c\t\n", "😀", "é" * 128, "'; drop table decisions; --"])
def test_any_text_is_a_request_id(text: str, in_service: InService) -> None:
    async def scenario(service: Service) -> list[bool]:
        return [(await service.decide(request(request_id=text))).repeated for _ in range(2)]

    assert in_service(scenario) == [False, True]


def test_a_request_id_with_nul_is_kept_where_the_database_can(in_service: InService, database: Database) -> None:
    async def scenario(service: Service) -> list[Any]:
        return [(await service.decide(request(request_id="\x00"))).repeated for _ in range(2)]

    if database.url.get_backend_name() == "sqlite":
        assert in_service(scenario) == [False, True]
    else:
        with pytest.raises(InvalidRequest, match="it can't be stored"):
            in_service(scenario)


def test_text_that_no_database_holds_is_refused_without_harm_to_others(in_service: InService, sql: Sql) -> None:
    async def scenario(service: Service) -> list[Any]:
        bad = request(labels={"x": "\ud800"})
        requests = [service.decide(bad if i == 7 else request()) for i in range(20)]
        return await asyncio.gather(*requests, return_exceptions=True)

    answers = in_service(scenario)
    assert [type(answer) for answer in answers] == [*[Decided] * 7, InvalidRequest, *[Decided] * 12]
    assert len(sql("SELECT * FROM decisions")) == 19


# --- outcomes


def test_an_outcome_is_accepted_and_says_when_it_is_learned(in_service: InService, sql: Sql, clock: Any) -> None:
    decision = decided(in_service)
    clock.move(minutes=3)
    answer = told(in_service, decision, metric="click")
    assert (answer.status, answer.learned_at, answer.decision_id) == (ACCEPTED, decision.window_closes_at, decision.id)
    (row,) = sql("SELECT * FROM outcomes")
    assert (row.metric, row.value, row.status) == ("click", 1.0, "accepted")


def test_a_genuine_id_that_is_not_stored_yet(in_service: InService, database: Database, clock: Any, sql: Sql) -> None:
    genuine = make_decision_id(database.secret, at=clock.now, campaign_number=1, random=bytes(6))
    assert told(in_service, genuine, metric="click") == Recorded(PENDING, None, decision_id=genuine)
    assert len(sql("SELECT * FROM outcomes")) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda made: "0" * 40,
        lambda made: made[:-1],
        lambda made: made + "0",
        str.upper,
        lambda made: made[:-1] + ("0" if made[-1] != "0" else "1"),
        lambda made: "",
        lambda made: "\x00",
        lambda made: "😀" * 40,
    ],
)
def test_an_id_that_is_not_ours_is_refused(change: Callable[[str], str], in_service: InService, sql: Sql) -> None:
    decision = decided(in_service)
    with pytest.raises(InvalidRequest, match="no decision id"):
        told(in_service, change(decision.id), metric="click")
    assert sql("SELECT * FROM outcomes") == []


def test_an_id_of_a_campaign_that_never_was(in_service: InService, database: Database, clock: Any) -> None:
    genuine = make_decision_id(database.secret, at=clock.now, campaign_number=99, random=bytes(6))
    with pytest.raises(NoSuchCampaign):
        told(in_service, genuine, metric="click")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, NotDeclared, "declares 'click', 'revenue'"),
        ({"metric": "sale"}, NotDeclared, "it declares 'click', 'revenue'"),
        ({"metric": "click", "slot": "x"}, NotDeclared, "it has: 'headline', 'cta'"),
        ({"metric": "click", "value": math.nan}, InvalidRequest, "expected a finite number"),
        ({"metric": "click", "value": -math.inf}, InvalidRequest, "expected a finite number"),
        ({"metric": "click", "at": datetime(2026, 3, 1, 11, tzinfo=UTC)}, InvalidRequest, "before the decision"),
        ({"metric": "click", "at": datetime(2126, 3, 1, 11, tzinfo=UTC)}, InvalidRequest, "in the future"),
    ],
)
def test_wrong_outcomes_are_refused_and_nothing_is_stored(
    given: dict[str, Any], error: type[Exception], message: str, in_service: InService, sql: Sql
) -> None:
    decision = decided(in_service)
    with pytest.raises(error, match=message):
        told(in_service, decision, **given)
    assert sql("SELECT * FROM outcomes") == []


def test_after_the_window_it_is_late(in_service: InService, clock: Any) -> None:
    decision = decided(in_service)
    clock.move(minutes=31)
    answer = told(in_service, decision, metric="click")
    assert (answer.status, answer.learned_at) == (LATE, None)
    before = decision.at + timedelta(minutes=29)  # not matured yet: what happened in time still counts
    assert told(in_service, decision, metric="click", at=before).status is ACCEPTED


@pytest.mark.parametrize("state", State)
def test_outcomes_are_taken_in_every_state(state: State, in_service: InService, set_to: Any) -> None:
    decision = decided(in_service)
    if state is not State.DRAFT:  # there is no way back
        set_to("hero", state)
    assert told(in_service, decision, metric="click").status is ACCEPTED


def test_a_clock_that_jumps_back_an_hour_loses_nothing(
    in_service: InService, clock: Any, new_trainer: Any, sql: Sql
) -> None:
    trainer = new_trainer()

    async def scenario(service: Service) -> list[Decision]:
        before = (await service.decide(request(request_id="before"))).decision
        trainer.step(clock())
        clock.move(hours=-1)
        assert (await service.reward(RewardRequest(before.id, metric="click"))).status is ACCEPTED
        assert (await service.decide(request(request_id="before"))).decision.id == before.id
        after = (await service.decide(request(request_id="after"))).decision
        assert (await service.reward(RewardRequest(after.id, metric="click"))).status is ACCEPTED
        return [before, after]

    before, after = in_service(scenario)
    assert after.at < before.at
    for _ in range(3):
        trainer.step(clock.move(minutes=45))
    assert sql("SELECT decision_id, sequence, reward FROM rewards ORDER BY sequence") == [
        (after.id, 1, 1.0),
        (before.id, 2, 1.0),
    ]
    assert sql("SELECT max(trained_through), max(examples) FROM snapshots") == [(2, 4)]


def test_a_key_counts_once_at_once_later_and_after_a_restart(in_service: InService, sql: Sql) -> None:
    decision = decided(in_service)

    async def at_once(service: Service) -> list[Recorded]:
        return await asyncio.gather(
            *[
                service.reward(RewardRequest(decision.id, metric="revenue", value=9.0, key="order-7"))
                for _ in range(100)
            ]
        )

    answers = in_service(at_once)
    assert sorted(answer.status for answer in answers) == [ACCEPTED, *[DUPLICATE] * 99]
    assert told(in_service, decision, metric="revenue", value=9.0, key="order-7") == Recorded(DUPLICATE, None)
    assert told(in_service, decision, metric="click", key="order-7").status is ACCEPTED
    assert len(sql("SELECT * FROM outcomes WHERE metric = 'revenue'")) == 1


def test_an_order_is_credited_to_each_of_its_decisions(in_service: InService) -> None:
    # a naive key, `purchase`, must not make the second customer's purchase vanish
    first, second = decided(in_service), decided(lambda scenario: in_service(scenario, seed=2))
    for decision in (first, second):
        assert told(in_service, decision, metric="click", key="purchase").status is ACCEPTED
        assert told(in_service, decision, metric="click", key="purchase").status is DUPLICATE


def test_what_the_deciding_version_declared_is_still_taken(
    in_service: InService, put: Any, hero: str, clock: Any, new_trainer: Any, sql: Sql
) -> None:
    decision = decided(in_service)
    put(hero.replace(", revenue: sum", "").replace("click + 0.01 * revenue", "click")[: hero.index("  cta:") - 30])
    assert told(in_service, decision, metric="revenue", value=50.0).status is ACCEPTED
    assert told(in_service, decision, metric="click", slot="cta").status is ACCEPTED
    with pytest.raises(NotDeclared, match="no metric 'sale'"):
        told(in_service, decision, metric="sale")
    newer = decided(lambda scenario: in_service(scenario, seed=2))
    with pytest.raises(NotDeclared, match="no metric 'revenue'; it declares 'click'"):
        told(in_service, newer, metric="revenue")
    new_trainer().step(clock.move(hours=1))
    assert dict(sql("SELECT decision_id, reward FROM rewards"))[decision.id] == 1.5


# --- campaigns


def test_mistakes_carry_the_lines_of_the_file(in_service: InService, hero: str) -> None:
    async def scenario(service: Service) -> list[tuple[int, str]]:
        wrong = hero.replace("once", "twice").replace("default: try", "default: tri")
        with pytest.raises(CampaignFileError) as caught:
            await service.put_campaign(wrong, file_name="x.yaml", first_line=101)
        return [(mistake.line, mistake.path) for mistake in caught.value.mistakes]

    assert in_service(scenario) == [(102, "metrics.click"), (113, "slots.cta.default")]


@pytest.mark.parametrize("line", [0, -1, MAX_FILE + 1, 2**31 - 1])
def test_a_line_that_no_file_has_is_refused(line: int, in_service: InService, hero: str) -> None:
    async def scenario(service: Service) -> None:
        with pytest.raises(InvalidRequest, match=f"first_line {line}: expected 1 to"):
            await service.put_campaign(hero, file_name="x.yaml", first_line=line)

    in_service(scenario)


def test_what_is_kept_is_the_text_as_it_was_put(in_service: InService, hero: str) -> None:
    source = "# ¡hola!\n" + hero.replace("30m", "1h")

    async def scenario(service: Service) -> str:
        return (await service.put_campaign(source, file_name="x", first_line=40)).stored.source

    assert in_service(scenario) == source


def test_putting_and_serving(in_service: InService, hero: str, sql: Sql) -> None:
    changed = hero.replace("30m", "1h")

    async def scenario(service: Service) -> None:
        same = await service.put_campaign(hero + "# a comment\n", file_name="x")
        assert (same.changed, same.stored.version) == (False, 1)
        tried = await service.put_campaign(changed, file_name="x", dry_run=True)
        assert (tried.changed, tried.stored.version) == (True, 2)
        assert (await service.decide(request())).decision.version == 1
        with pytest.raises(VersionConflict, match="at version 1, expected 7"):
            await service.put_campaign(hero, file_name="x", expected_version=7)
        with pytest.raises(VersionConflict, match="at version 1, expected 0"):
            await service.put_campaign(changed, file_name="x", expected_version=0)
        put = await service.put_campaign(changed, file_name="x", expected_version=1, state=State.DRAFT)
        assert (put.stored.version, put.stored.state, put.before) == (2, State.ACTIVE, 1)
        made = (await service.decide(request())).decision
        assert (made.version, made.window_closes_at - made.at) == (2, timedelta(hours=1))
        with pytest.raises(InvalidRequest, match="holds 2 campaigns; expected one"):
            await service.put_campaign(f"{hero}---\n{hero.replace('campaign: hero', 'campaign: b')}", file_name="x")

    in_service(scenario)
    assert sql("SELECT max(version) FROM campaigns") == [(2,)]


def test_states(in_service: InService, hero: str) -> None:
    async def scenario(service: Service) -> None:
        with pytest.raises(VersionConflict):
            await service.set_state("hero", State.ACTIVE, expected_version=9)
        assert (await service.set_state("hero", State.ACTIVE, expected_version=1)).version == 1
        with pytest.raises(WrongState, match="can't become draft"):
            await service.set_state("hero", State.DRAFT)
        assert (await service.set_state("hero", State.KILLED)).version == 2
        assert (await service.decide(request())).decision.reason is Reason.CAMPAIGN_KILLED
        await service.set_state("hero", State.ARCHIVED)
        for call in (service.decide(request()), service.decide(request(opted_out=True))):
            with pytest.raises(NoSuchCampaign, match="archived"):
                await call
        with pytest.raises(WrongState):
            await service.set_state("hero", State.ACTIVE)
        with pytest.raises(WrongState, match="choose another name"):
            await service.put_campaign(hero, file_name="x")
        with pytest.raises(NoSuchCampaign):
            await service.set_state("other", State.PAUSED)

    in_service(scenario)
