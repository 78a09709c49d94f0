"""The two clients: one channel each, and every operation as a method."""

import asyncio
import functools
import inspect
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import grpc
import grpc.aio

from elige.client import evaluation_operations, operations
from elige.client.errors import EligeError
from elige.client.evaluation_operations import Following
from elige.client.operations import Call, Method, Operation, Pause

P = ParamSpec("P")
T = TypeVar("T")

_MESSAGE_BYTES = 64 * 1024 * 1024  # the contract's limit; gRPC's own, 4 MiB, is less than a full batch
# Calls that do no harm when they are made twice are made again, by gRPC itself, when the service could not be reached.
# Decide and Reward are not among them: without a request id or key a second one is another decision, another outcome.
_REPEATABLE = ("CampaignService", "EvaluationService", "PeopleService")
_RETRIES = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
_OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    (
        "grpc.service_config",
        json.dumps(
            {
                "methodConfig": [
                    {"name": [{"service": f"elige.v1.{name}"} for name in _REPEATABLE], "retryPolicy": _RETRIES}
                ]
            }
        ),
    ),
)


class _Settings:
    """What both clients are told: where the service is, who calls, and how long to wait."""

    def __init__(
        self,
        target: str = "localhost:7461",
        *,
        api_key: str = "",
        credentials: grpc.ChannelCredentials | None = None,
        decide_timeout: float = 1.0,
        timeout: float = 30.0,
    ) -> None:
        """A client of the service at `target` (host:port, or any name that gRPC resolves). Connects when called.

        api_key: the secret of a key, where the service asks for one.
        credentials: for TLS, `grpc.ssl_channel_credentials()`; by default the connection is not encrypted.
        decide_timeout, timeout: how many seconds to wait for `decide`, and for everything else.
        """
        self._target = target
        self._metadata = (("authorization", f"Bearer {api_key}"),) if api_key else ()
        self._credentials = credentials
        self._decide_timeout = decide_timeout
        self._timeout = timeout

    def _seconds(self, call: Call) -> float:
        if call.timeout is not None:
            return call.timeout
        return self._decide_timeout if call.method is operations.DECIDE else self._timeout


def _method(operation: Callable[P, Operation[T]]) -> "Callable[Concatenate[Client, P], T]":
    """The operation as a method that waits for its result."""

    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._run(operation(*args, **kwargs))

    _describe(method, operation)
    return method


def _async_method(
    operation: Callable[P, Operation[T]],
) -> "Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]":
    """The operation as a method to await."""

    async def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client._run(operation(*args, **kwargs))

    _describe(method, operation)
    return method


def _stream(operation: Callable[P, Following[T]]) -> "Callable[Concatenate[Client, P], Iterator[T]]":
    """What is followed as a method that gives its answers one by one."""

    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return client._follow(operation(*args, **kwargs))

    _describe(method, operation, Iterator)
    return method


def _async_stream(operation: Callable[P, Following[T]]) -> "Callable[Concatenate[AsyncClient, P], AsyncIterator[T]]":
    """What is followed as a method for `async for`."""

    def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return client._follow(operation(*args, **kwargs))

    _describe(method, operation, AsyncIterator)
    return method


def _describe(method: Callable[..., Any], operation: Callable[..., Any], many: Any = None) -> None:
    """Give a method the operation's name, signature and help. functools.wraps would lose the first parameter. `many`:
    what it gives its results in.
    """
    method.__name__, method.__doc__ = operation.__name__, operation.__doc__
    signature = inspect.signature(operation)
    client = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    # of Generator[Call, Any, result] or Following[result]
    result = signature.return_annotation.__args__[-1]
    if many is not None:
        result = many[result]
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[client, *signature.parameters.values()], return_annotation=result
    )


class Client(_Settings):
    """Elige for threads: `with Client("localhost:7461") as elige: elige.decide("home-hero", person="ana")`.

    Safe to share between threads: make one and keep it. After a fork, make another.
    """

    decide = _method(operations.decide)
    decide_many = _method(operations.decide_many)
    observe = _method(operations.observe)
    activate = _method(operations.activate)
    activate_many = _method(operations.activate_many)
    reward = _method(operations.reward)
    reward_many = _method(operations.reward_many)
    put_campaign = _method(operations.put_campaign)
    get_campaign = _method(operations.get_campaign)
    list_campaigns = _method(operations.list_campaigns)
    set_campaign_state = _method(operations.set_campaign_state)
    roll_back = _method(operations.roll_back)
    link_people = _method(operations.link_people)
    export_person = _method(operations.export_person)
    erase_person = _method(operations.erase_person)
    explain = _method(operations.explain)
    start_evaluation = _method(evaluation_operations.start_evaluation)
    evaluation = _method(evaluation_operations.evaluation)
    evaluations = _method(evaluation_operations.evaluations)
    cancel_evaluation = _method(evaluation_operations.cancel_evaluation)
    wait_for_evaluation = _method(evaluation_operations.wait_for_evaluation)
    watch_evaluation = _stream(evaluation_operations.watch_evaluation)
    decisions = _method(evaluation_operations.decisions)
    diagnose = _method(evaluation_operations.diagnose)
    plan = _method(evaluation_operations.plan)

    def close(self) -> None:
        """Close the connection, and cancel what is under way. The client can't be used afterwards."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @functools.cached_property  # two threads may make two; the one that is not kept closes itself
    def _channel(self) -> grpc.Channel:
        if self._credentials is None:
            return grpc.insecure_channel(self._target, options=_OPTIONS)
        return grpc.secure_channel(self._target, self._credentials, options=_OPTIONS)

    def _run(self, operation: Operation[T]) -> T:
        go_on: Callable[[], Call | Pause] = functools.partial(operation.send, None)
        while True:
            try:
                call = go_on()
            except StopIteration as finished:
                result: T = finished.value
                return result
            if isinstance(call, Pause):
                time.sleep(call.seconds)
                go_on = functools.partial(operation.send, None)
                continue
            seconds = self._seconds(call)
            try:
                answer = _rpc(self._channel, call.method)(call.request, timeout=seconds, metadata=self._metadata)
            except grpc.RpcError as error:
                go_on = functools.partial(operation.throw, _elige_error(error, seconds))
            else:
                go_on = functools.partial(operation.send, answer)

    def _follow(self, following: Following[T]) -> Iterator[T]:
        call = _rpc(self._channel, following.method, streams=True)(
            following.request, timeout=following.timeout, metadata=self._metadata
        )
        try:
            yield from map(following.reply, call)
        except grpc.RpcError as error:
            raise _elige_error(error, following.timeout) from error
        finally:
            call.cancel()


class AsyncClient(_Settings):
    """Elige for asyncio: `async with AsyncClient("localhost:7461") as elige: await elige.decide("home-hero")`.

    May be made anywhere; belongs to the event loop of its first call. Make one and keep it.
    """

    decide = _async_method(operations.decide)
    decide_many = _async_method(operations.decide_many)
    observe = _async_method(operations.observe)
    activate = _async_method(operations.activate)
    activate_many = _async_method(operations.activate_many)
    reward = _async_method(operations.reward)
    reward_many = _async_method(operations.reward_many)
    put_campaign = _async_method(operations.put_campaign)
    get_campaign = _async_method(operations.get_campaign)
    list_campaigns = _async_method(operations.list_campaigns)
    set_campaign_state = _async_method(operations.set_campaign_state)
    roll_back = _async_method(operations.roll_back)
    link_people = _async_method(operations.link_people)
    export_person = _async_method(operations.export_person)
    erase_person = _async_method(operations.erase_person)
    explain = _async_method(operations.explain)
    start_evaluation = _async_method(evaluation_operations.start_evaluation)
    evaluation = _async_method(evaluation_operations.evaluation)
    evaluations = _async_method(evaluation_operations.evaluations)
    cancel_evaluation = _async_method(evaluation_operations.cancel_evaluation)
    wait_for_evaluation = _async_method(evaluation_operations.wait_for_evaluation)
    watch_evaluation = _async_stream(evaluation_operations.watch_evaluation)
    decisions = _async_method(evaluation_operations.decisions)
    diagnose = _async_method(evaluation_operations.diagnose)
    plan = _async_method(evaluation_operations.plan)

    async def close(self) -> None:
        """Close the connection, and cancel what is under way. The client can't be used afterwards."""
        await self._channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @functools.cached_property  # not before the first call: it takes hold of the running loop
    def _channel(self) -> grpc.aio.Channel:
        if self._credentials is None:
            return grpc.aio.insecure_channel(self._target, options=_OPTIONS)
        return grpc.aio.secure_channel(self._target, self._credentials, options=_OPTIONS)

    async def _run(self, operation: Operation[T]) -> T:
        go_on: Callable[[], Call | Pause] = functools.partial(operation.send, None)
        while True:
            try:
                call = go_on()
            except StopIteration as finished:
                result: T = finished.value
                return result
            if isinstance(call, Pause):
                await asyncio.sleep(call.seconds)
                go_on = functools.partial(operation.send, None)
                continue
            seconds = self._seconds(call)
            try:
                answer = await _rpc(self._channel, call.method)(call.request, timeout=seconds, metadata=self._metadata)
            except grpc.RpcError as error:
                go_on = functools.partial(operation.throw, _elige_error(error, seconds))
            else:
                go_on = functools.partial(operation.send, answer)

    async def _follow(self, following: Following[T]) -> AsyncIterator[T]:
        call = _rpc(self._channel, following.method, streams=True)(
            following.request, timeout=following.timeout, metadata=self._metadata
        )
        try:
            async for message in call:
                yield following.reply(message)
        except grpc.RpcError as error:
            raise _elige_error(error, following.timeout) from error
        finally:
            call.cancel()


def _rpc(channel: Any, method: Method, *, streams: bool = False) -> Callable[..., Any]:
    """The rpc on either kind of channel."""
    rpc: Callable[..., Any] = (channel.unary_stream if streams else channel.unary_unary)(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )
    return rpc


def _elige_error(error: grpc.RpcError, seconds: float | None) -> EligeError:
    """With the words of the service; where nobody heard from it in time, with ours, for gRPC says no number."""
    code, message = error.code().name, error.details() or ""
    if code == "DEADLINE_EXCEEDED" and "Deadline Exceeded" in message:
        message = f"no answer in time: timeout={seconds:g} seconds" if seconds is not None else message
    told = EligeError(code, message)
    told.__cause__ = error
    return told
