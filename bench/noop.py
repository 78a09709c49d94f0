"""The best that a Python server could do: the same messages over the same gRPC, and nothing decided, nothing stored.

    python -m bench.noop

Reads one line, the decision to answer to everybody (its bytes in hexadecimal), says its address in one line, and
serves until its standard input ends.
"""

import asyncio
import sys

import grpc.aio
import uvloop

from elige.v1 import decisions_pb2, decisions_pb2_grpc
from server.rpc.server import MAX_MESSAGE


class NoOp(decisions_pb2_grpc.DecisionServiceServicer):
    """Answers the same to everybody."""

    def __init__(self, decision: decisions_pb2.Decision) -> None:
        self._decision = decision
        self._reward = decisions_pb2.RewardResponse(
            status=decisions_pb2.REWARD_STATUS_ACCEPTED,
            decision_id=decision.decision_id,
            learned_at=decision.window_closes_at,
        )

    async def Decide(  # noqa: N802 gRPC's names
        self, request: decisions_pb2.DecideRequest, context: object
    ) -> decisions_pb2.Decision:
        return self._decision

    async def Reward(  # noqa: N802
        self, request: decisions_pb2.RewardRequest, context: object
    ) -> decisions_pb2.RewardResponse:
        return self._reward


async def main() -> None:
    decision = decisions_pb2.Decision.FromString(bytes.fromhex(sys.stdin.readline()))
    # the options of the real server
    limits = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.aio.server(options=[*limits, ("grpc.so_reuseport", 0)])
    decisions_pb2_grpc.add_DecisionServiceServicer_to_server(NoOp(decision), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


if __name__ == "__main__":
    uvloop.run(main())
