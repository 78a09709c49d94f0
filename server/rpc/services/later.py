"""Services whose calls all come with later versions."""

from elige.v1 import keys_pb2_grpc
from server.rpc.unsupported import unsupported

_KEYS = "API keys (until then, listen on an address that only your own machines reach)"


@unsupported({"CreateKey": _KEYS, "ListKeys": _KEYS, "RevokeKey": _KEYS})
class KeyServicer(keys_pb2_grpc.KeyServiceServicer):
    """KeyService."""
