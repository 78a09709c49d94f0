"""Every call of the contract either works or says that it does not yet, and what is missing."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor

from elige.v1 import campaigns_pb2, decisions_pb2, evaluations_pb2, keys_pb2, people_pb2
from server.rpc.unsupported import unsupported

FILES = (decisions_pb2, campaigns_pb2, people_pb2, evaluations_pb2, keys_pb2)
RPCS: list[MethodDescriptor] = [
    method for file in FILES for service in file.DESCRIPTOR.services_by_name.values() for method in service.methods
]
WORKING = {
    *("Decide", "BatchDecide", "Activate", "BatchActivate", "ObserveDecision", "Reward", "BatchReward"),
    *("PutCampaign", "GetCampaign", "ListCampaigns", "SetCampaignState", "ListSnapshots", "RollBack"),
    *("LinkPeople", "ExportPerson", "ErasePerson"),
    *("StartEvaluation", "GetEvaluation", "ListEvaluations", "CancelEvaluation", "WatchEvaluation"),
    *("ExplainDecision", "ListDecisions", "Diagnose", "Plan"),
}


def call(channel: grpc.Channel, method: MethodDescriptor) -> grpc.RpcError | None:
    """What an empty request gives."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    answer = message_factory.GetMessageClass(method.output_type).FromString
    request = message_factory.GetMessageClass(method.input_type)()
    try:
        if method.server_streaming:
            list(channel.unary_stream(path, lambda m: m.SerializeToString(), answer)(request, timeout=60))
        else:
            channel.unary_unary(path, lambda m: m.SerializeToString(), answer)(request, timeout=60)
    except grpc.RpcError as error:
        return error
    return None


def test_every_call_works_or_says_what_is_missing(server: Any, said: list[Any]) -> None:
    assert {method.name for method in RPCS} > WORKING
    assert len(RPCS) == 33
    for method in RPCS:
        error = call(server.channel, method)
        code = error.code().name if error else "OK"
        if method.name in WORKING:
            # an empty request is at most a wrong one
            assert code in ("OK", "INVALID_ARGUMENT", "NOT_FOUND"), (method.name, code)
        else:
            assert error is not None
            assert code == "UNIMPLEMENTED", method.name
            what = error.details().removesuffix(": not supported yet")
            assert what != error.details(), method.name
            assert len(what) > 5
    assert [entry for entry in said if entry["log_level"] == "error"] == []


def test_a_call_that_the_contract_does_not_have(server: Any, refusal: Callable[..., tuple[str, str]]) -> None:
    stub = server.channel.unary_unary("/elige.v1.DecisionService/Undo", lambda m: m, lambda raw: raw)
    assert refusal(stub, b"")[0] == "UNIMPLEMENTED"


def test_what_exists_can_not_be_missing() -> None:
    class Servicer:
        def Decide(self) -> None:  # noqa: N802 as gRPC has it
            pass

    with pytest.raises(TypeError, match=r"Servicer.Decide exists: it can't be missing"):
        unsupported({"Decide": "deciding"})(Servicer)
