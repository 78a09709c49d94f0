"""The load: a process that calls one server over one connection, with so many calls under way at once.

    python -m bench.load HOST:PORT --in-flight 32 --rewards 0.0

Reads a number of seconds a line, calls for so long, and answers with what came of it as a line of JSON; ends with its
standard input. Requests are written before, and answers not read but for what is needed next: on a machine with few
cores the load must cost less than what it measures.
"""

import argparse
import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import cycle

import grpc.aio
import numpy as np
import orjson
import uvloop

from bench import campaign
from bench.children import Child
from bench.harness import Round, Side, in_flight
from elige.client.operations import DECIDE, REWARD
from elige.v1 import decisions_pb2

CALL_SECONDS = 20.0
"""A call that takes longer fails the benchmark."""
PEOPLE = 2_000


Rpc = Callable[..., Awaitable[bytes]]
"""Bytes in, bytes out, with a `timeout` in seconds."""


class Caller:
    """Makes the next call: a decision or, for the share `rewards` of them, the click that one of them led to."""

    def __init__(self, decide: Rpc, reward: Rpc, *, rewards: float) -> None:
        self._decide = decide
        self._reward = reward
        self._requests = cycle([one.SerializeToString() for one in campaign.requests(PEOPLE, seed=1)])
        self._rewards = rewards
        self._owed = 0.0
        self._clicked: deque[bytes] = deque()
        self._last = b""

    async def call(self) -> None:
        """Raises AioRpcError when the server does not answer as it should."""
        if self._clicked:
            await self._reward(self._clicked.popleft(), timeout=CALL_SECONDS)
            return
        self._last = await self._decide(next(self._requests), timeout=CALL_SECONDS)
        self._owed += self._rewards
        if self._owed >= 1.0:
            self._owed -= 1.0
            decision = decisions_pb2.Decision.FromString(self._last)
            click = decisions_pb2.RewardRequest(decision_id=decision.decision_id, metric=campaign.CLICK)
            self._clicked.append(click.SerializeToString())

    def check(self) -> None:
        """A server that answers defaults would look fast. Raises RuntimeError."""
        require_drawn(decisions_pb2.Decision.FromString(self._last))


def require_drawn(decision: decisions_pb2.Decision) -> None:
    """Raises RuntimeError unless a trained policy drew the decision."""
    if decision.reason != decisions_pb2.REASON_DRAWN or not decision.snapshot:
        raise RuntimeError(f"expected a decision that a trained policy drew, got:\n{decision}")


def load(child: Child) -> Side:
    """The side of a comparison that a process of this module is."""

    def side(seconds: float) -> Round:
        child.say(str(seconds))
        answer = orjson.loads(child.hear(seconds=seconds + CALL_SECONDS + 10.0))
        return Round(answer["seconds"], np.array(answer["latencies"]))

    return side


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--rewards", type=float, required=True)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options))


async def _serve(options: argparse.Namespace) -> None:
    channel = grpc.aio.insecure_channel(options.target)
    rpcs: list[Rpc] = [channel.unary_unary(method.path, None, None) for method in (DECIDE, REWARD)]
    caller = Caller(*rpcs, rewards=options.rewards)
    while line := await asyncio.to_thread(sys.stdin.readline):
        one = await in_flight(caller.call, seconds=float(line), at_once=options.in_flight)
        caller.check()
        answer = {"seconds": one.seconds, "latencies": one.latencies}
        print(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY).decode(), flush=True)


if __name__ == "__main__":
    main()
