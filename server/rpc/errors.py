"""One interceptor turns the domain's errors into gRPC statuses; no servicer does."""

from collections.abc import Awaitable, Callable
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
        except EligeError as error:
            await context.abort(status_code(error), shortened(str(error)))
        except grpc.aio.AbortError:
            raise
        except Exception:
            log.exception("call failed", method=method)
            await context.abort(grpc.StatusCode.INTERNAL, DEFECT)

    return translated
