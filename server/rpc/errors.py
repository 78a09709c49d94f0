"""One interceptor turns the domain's errors into gRPC statuses; no servicer does."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import structlog

from server.errors import EligeError
from server.rpc.wire import shortened, status_code

log = structlog.get_logger()

DEFECT = "a defect of the service; it is in its own log"


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """An EligeError becomes its status; anything else INTERNAL, with its traceback in our own log only."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        handler = await continuation(details)
        # a stream that writes by itself, as that of health checks does, has nothing of ours to translate
        if handler is not None and inspect.isasyncgenfunction(handler.unary_stream):
            return grpc.unary_stream_rpc_method_handler(
                _stream_translated(handler.unary_stream, details.method),
                request_deserializer=handler.request_deserializer,
                response_serializer=handler.response_serializer,
            )
        if handler is None or handler.unary_unary is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            _translated(handler.unary_unary, details.method),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _translated(call: Callable[[Any, Any], Awaitable[Any]], method: str) -> Callable[[Any, Any], Awaitable[Any]]:
    async def translated(request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await call(request, context)
        except Exception as error:  # noqa: BLE001 told as what it is
            await _tell(error, context, method)

    return translated


def _stream_translated(call: Callable[[Any, Any], AsyncIterator[Any]], method: str) -> Callable[[Any, Any], Any]:
    async def translated(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        try:
            async for message in call(request, context):
                yield message
        except Exception as error:  # noqa: BLE001 told as what it is
            await _tell(error, context, method)

    return translated


async def _tell(error: Exception, context: grpc.aio.ServicerContext, method: str) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, EligeError):
        await context.abort(status_code(error), shortened(str(error)))
    log.error("call failed", method=method, exc_info=error)
    await context.abort(grpc.StatusCode.INTERNAL, DEFECT)
