"""A service of the contract in this process, and both clients of it behind one face."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from elige.client import AsyncClient, Client
from elige.v1 import campaigns_pb2_grpc, decisions_pb2_grpc, evaluations_pb2_grpc, people_pb2_grpc

Answer = Message | Callable[[Any], Message] | grpc.StatusCode | list[Any]


@dataclass
class FakeService:
    """Answers each rpc with what `answers` holds under its name: a message, a function of the request, a status, or a
    list of these, one for each call.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Any] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    seconds_left: list[float] = field(default_factory=list)
    target: str = ""

    def __getattr__(self, name: str) -> Callable[[Message, grpc.ServicerContext], Message]:
        def rpc(request: Message, context: grpc.ServicerContext) -> Message:
            self.requests.append(request)
            self.metadata.append(dict(context.invocation_metadata()))
            self.seconds_left.append(context.time_remaining())
            answer = self.answers[name]
            if isinstance(answer, list):
                answer = answer.pop(0)
            if isinstance(answer, grpc.StatusCode):
                context.abort(answer, f"{name}: no campaign 'año'; known: 'hero'")
            return answer(request) if callable(answer) else answer

        return rpc


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService()
    limits = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]
    server = grpc.server(ThreadPoolExecutor(2), options=limits)
    decisions_pb2_grpc.add_DecisionServiceServicer_to_server(fake, server)
    campaigns_pb2_grpc.add_CampaignServiceServicer_to_server(fake, server)
    evaluations_pb2_grpc.add_EvaluationServiceServicer_to_server(fake, server)
    people_pb2_grpc.add_PeopleServiceServicer_to_server(fake, server)
    fake.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield fake
    server.stop(None).wait()


class Waiting:
    """An AsyncClient whose methods wait: what is true of one client is true of the other."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.runner = asyncio.Runner()
        self.client = AsyncClient(*args, **kwargs)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: self.runner.run(getattr(self.client, name)(*args, **kwargs))

    def close(self) -> None:
        self.runner.run(self.client.close())
        self.runner.close()


Connect = Callable[..., Any]


@pytest.fixture(params=[Client, Waiting], ids=["sync", "asyncio"])
def connect(request: pytest.FixtureRequest, service: FakeService) -> Iterator[Connect]:
    """A function that makes a client of the fake service."""
    made = []

    def make(**settings: Any) -> Any:
        # far beyond what a loaded machine takes, unless the test is about deadlines
        made.append(request.param(service.target, **{"decide_timeout": 60.0, "timeout": 60.0, **settings}))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def elige(connect: Connect) -> Any:
    return connect()
