"""What is told of persons credits what they were shown, as the service answers it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from server.decide import DecideRequest
from server.errors import InvalidRequest, NotDeclared, NothingShown
from server.outcomes import RewardRequest
from server.records import Decision, OutcomeStatus, Recorded
from server.service import Service
from server.store.database import Database
from server.times import AHEAD, CLOCK_SKEW

ACCEPTED, PENDING, LATE, DUPLICATE = OutcomeStatus
MINUTE, MOMENT = timedelta(minutes=1), timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def campaign(put: Any, hero: str) -> None:
    put(hero)


@pytest.fixture
def decided(in_service: Callable[..., Any]) -> Callable[..., Decision]:
    def decided(person: str, *, seed: int = 1, **given: Any) -> Decision:
        async def scenario(service: Service) -> Decision:
            return (await service.decide(DecideRequest("hero", person=person, **given))).decision

        made: Decision = in_service(scenario, seed=seed)
        return made

    return decided


@pytest.fixture
def told(in_service: Callable[..., Any]) -> Callable[..., Recorded]:
    def told(person: str, **given: Any) -> Recorded:
        request = RewardRequest(person=person, **{"campaign": "hero", "metric": "click", **given})

        async def scenario(service: Service) -> Recorded:
            return await service.reward(request)

        answer: Recorded = in_service(scenario)
        return answer

    return told


def test_at_or_before_the_outcome(decided: Any, told: Any, clock: Any) -> None:
    first = decided("ana")
    clock.move(hours=1)
    second = decided("ana", seed=2)
    assert told("ana").decision_id == second.id
    assert told("ana", at=second.at - CLOCK_SKEW).decision_id == second.id
    before = told("ana", at=second.at - CLOCK_SKEW - MOMENT)
    assert (before.decision_id, before.status) == (first.id, LATE)
    with pytest.raises(NothingShown, match="'hero' has shown nothing to this person by 2026-03-01T11:59:54"):
        told("ana", at=first.at - CLOCK_SKEW - timedelta(seconds=1))


def test_the_same_key_gets_the_first_answer(decided: Any, told: Any, clock: Any, sql: Any) -> None:
    first = decided("ana")
    assert told("ana", key="order-7").status is ACCEPTED
    clock.move(hours=1)
    decided("ana", seed=2)
    assert told("ana", key="order-7") == Recorded(DUPLICATE, None, decision_id=first.id)
    assert sql("SELECT count(*) FROM outcomes") == [(1,)]


def test_a_metric_of_the_version_that_decided(decided: Any, told: Any, put: Any, hero: str) -> None:
    decision = decided("ana")
    put(hero.replace("revenue", "sale"))
    assert told("ana", metric="revenue").decision_id == decision.id
    with pytest.raises(NotDeclared, match="has no metric 'stars'"):
        told("ana", metric="stars")
    with pytest.raises(NotDeclared, match="which metric"):
        told("ana", metric=None)


def test_what_can_not_be(decided: Any, told: Any, clock: Any) -> None:
    decided("ana")
    for wrong in ({"at": clock() + AHEAD + MOMENT}, {"value": float("nan")}, {"key": "k" * 257}, {"slot": "footer"}):
        with pytest.raises(InvalidRequest):
            told("ana", **wrong)
    with pytest.raises(InvalidRequest, match="person"):
        told("x" * 257)


def test_of_many_at_once_each_has_its_own_answer(in_service: Callable[..., Any], database: Database, sql: Any) -> None:
    async def scenario(service: Service) -> list[Any]:
        made = await asyncio.gather(*(service.decide(DecideRequest("hero", person=f"p{n}")) for n in range(1_000)))
        requests = [RewardRequest(person=f"p{n}", campaign="hero", metric="click", key="k") for n in range(1_001)]
        answers = await asyncio.gather(*map(service.reward, requests), return_exceptions=True)
        assert [one.decision_id for one in answers[:-1]] == [one.decision.id for one in made]  # type: ignore[union-attr]
        return answers

    answers = in_service(scenario)
    assert {one.status for one in answers[:-1]} == {ACCEPTED}
    assert isinstance(answers[-1], NothingShown)
    assert sql("SELECT count(*) FROM outcomes WHERE person IS NOT NULL") == [(1_000,)]


def test_of_two_that_tell_the_same_at_once_one_counts(decided: Any, in_service: Callable[..., Any], sql: Any) -> None:
    decided("ana")

    async def scenario(service: Service) -> list[Recorded]:
        request = RewardRequest(person="ana", campaign="hero", metric="click", key="order-7")
        return list(await asyncio.gather(*(service.reward(request) for _ in range(20))))

    statuses = sorted(one.status for one in in_service(scenario))
    assert statuses == [ACCEPTED] + [DUPLICATE] * 19
    assert sql("SELECT count(*) FROM outcomes") == [(1,)]
