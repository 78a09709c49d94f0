"""Services whose calls all come with later versions."""

from elige.v1 import keys_pb2_grpc, people_pb2_grpc
from server.rpc.unsupported import unsupported

_PROFILES = "profiles of people"
_KEYS = "API keys (until then, listen on an address that only your own machines reach)"


@unsupported(
    {
        "PutProfiles": _PROFILES,
        "GetProfile": _PROFILES,
        "LinkPeople": "joining a cookie and a customer",
        "ExportPerson": "exporting what is stored of a person",
        "ErasePerson": "erasing a person",
    }
)
class PeopleServicer(people_pb2_grpc.PeopleServiceServicer):
    """PeopleService."""


@unsupported({"CreateKey": _KEYS, "ListKeys": _KEYS, "RevokeKey": _KEYS})
class KeyServicer(keys_pb2_grpc.KeyServiceServicer):
    """KeyService."""
