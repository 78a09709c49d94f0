"""Calls that are expected to fail, and campaigns put by the front door."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from elige.v1 import campaigns_pb2


@pytest.fixture
def refusal() -> Callable[..., tuple[str, str]]:
    """The status and text with which a call is refused."""

    def call(stub: Callable[..., object], request: object, **given: Any) -> tuple[str, str]:
        with pytest.raises(grpc.RpcError) as caught:
            stub(request, timeout=60, **given)
        return caught.value.code().name, caught.value.details()

    return call


@pytest.fixture
def apply(server: Any) -> Callable[..., Any]:
    """Puts a campaign file through the running server."""

    def apply(source: str, **given: Any) -> Any:
        return server.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=source, **given))

    return apply
