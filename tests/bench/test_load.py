"""Which calls the load makes, and what it does not take for an answer."""

import asyncio
from itertools import count

import pytest

from bench.load import Caller
from elige.v1 import decisions_pb2 as pb


class FakeServer:
    """Keeps what it is asked, and answers decisions with ids of their own."""

    def __init__(self, *, reason: str = "REASON_DRAWN", snapshot: str = "7") -> None:
        self.decided: list[pb.DecideRequest] = []
        self.rewarded: list[pb.RewardRequest] = []
        self._ids = map(str, count())
        self._answer = {"reason": reason, "snapshot": snapshot}

    async def decide(self, request: bytes, *, timeout: float) -> bytes:
        self.decided.append(pb.DecideRequest.FromString(request))
        return pb.Decision(decision_id=next(self._ids), **self._answer).SerializeToString()  # type: ignore[arg-type]

    async def reward(self, request: bytes, *, timeout: float) -> bytes:
        self.rewarded.append(pb.RewardRequest.FromString(request))
        return b""


def caller(server: FakeServer, *, rewards: float, calls: int) -> Caller:
    """A caller that has made so many calls."""

    async def make() -> Caller:
        made = Caller(server.decide, server.reward, rewards=rewards)
        for _ in range(calls):
            await made.call()
        return made

    return asyncio.run(make())


@pytest.mark.parametrize(("rewards", "decided", "clicked"), [(0.0, 12, []), (0.5, 8, ["1", "3", "5", "7"])])
def test_the_asked_share_of_decisions_is_followed_by_a_click(rewards: float, decided: int, clicked: list[str]) -> None:
    server = FakeServer()
    caller(server, rewards=rewards, calls=12)
    assert len(server.decided) == decided
    assert [one.decision_id for one in server.rewarded] == clicked
    assert {one.metric for one in server.rewarded} <= {"click"}


def test_every_decision_is_for_another_person_with_all_ten_features() -> None:
    server = FakeServer()
    caller(server, rewards=0.0, calls=50)
    assert len({one.person for one in server.decided}) == 50
    assert {len(one.context.fields) for one in server.decided} == {10}
    assert len({str(one.context) for one in server.decided}) > 25


@pytest.mark.parametrize("answer", [{"reason": "REASON_POLICY_FAILED"}, {"snapshot": ""}])
def test_a_server_that_answers_defaults_is_not_taken_for_a_fast_one(answer: dict[str, str]) -> None:
    caller(FakeServer(), rewards=0.0, calls=1).check()
    with pytest.raises(RuntimeError, match="expected a decision that a trained policy drew"):
        caller(FakeServer(**answer), rewards=0.0, calls=1).check()
