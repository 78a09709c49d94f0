"""The gRPC server: services, health, reflection."""

import grpc
from grpc_health.v1 import _async as health_aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from elige.v1 import (
    campaigns_pb2,
    campaigns_pb2_grpc,
    decisions_pb2,
    decisions_pb2_grpc,
    evaluations_pb2,
    evaluations_pb2_grpc,
    keys_pb2,
    keys_pb2_grpc,
    people_pb2,
    people_pb2_grpc,
)
from server.errors import Unavailable
from server.rpc.errors import ErrorInterceptor
from server.rpc.services.campaigns import CampaignServicer
from server.rpc.services.decisions import DecisionServicer
from server.rpc.services.evaluations import EvaluationServicer
from server.rpc.services.later import KeyServicer
from server.rpc.services.people import PeopleServicer
from server.service import Service

MAX_MESSAGE = 64 * 1024 * 1024
MAX_PENDING = 20_000
"""Calls that may wait to be looked at. Beyond it gRPC cancels them; its own limit of 1,000 is reached when a process at
500 calls a second stands still for two."""
SERVICES = (
    decisions_pb2.DESCRIPTOR.services_by_name["DecisionService"].full_name,
    campaigns_pb2.DESCRIPTOR.services_by_name["CampaignService"].full_name,
    people_pb2.DESCRIPTOR.services_by_name["PeopleService"].full_name,
    evaluations_pb2.DESCRIPTOR.services_by_name["EvaluationService"].full_name,
    keys_pb2.DESCRIPTOR.services_by_name["KeyService"].full_name,
)

DATABASE = "elige.database"
"""What health checks ask for who want to know of the database."""


class RpcServer:
    """Listens, answers, and stops without dropping a call."""

    def __init__(self, service: Service, listen: str) -> None:
        """Raises Unavailable when the address can't be had."""
        limits = [
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
            ("grpc.server.max_pending_requests", MAX_PENDING),
            ("grpc.server.max_pending_requests_hard_limit", 2 * MAX_PENDING),
        ]
        # one process owns the port: with SO_REUSEPORT a second server would silently take half of the calls
        self._server = grpc.aio.server(interceptors=[ErrorInterceptor()], options=[*limits, ("grpc.so_reuseport", 0)])
        decisions_pb2_grpc.add_DecisionServiceServicer_to_server(DecisionServicer(service), self._server)
        campaigns_pb2_grpc.add_CampaignServiceServicer_to_server(CampaignServicer(service), self._server)
        evaluations_pb2_grpc.add_EvaluationServiceServicer_to_server(EvaluationServicer(service), self._server)
        people_pb2_grpc.add_PeopleServiceServicer_to_server(PeopleServicer(service), self._server)
        keys_pb2_grpc.add_KeyServiceServicer_to_server(KeyServicer(), self._server)
        self._health = health_aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        try:
            self.port = self._server.add_insecure_port(listen)
        except RuntimeError as error:
            raise Unavailable(f"can't listen on {listen}: is another server running there?") from error

    async def start(self) -> None:
        await self._server.start()
        for name in ("", *SERVICES, DATABASE):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def set_database(self, *, up: bool) -> None:
        """Tell health checks whether the database answers. The server decides from memory while it does not."""
        answers = health_pb2.HealthCheckResponse
        await self._health.set(DATABASE, answers.SERVING if up else answers.NOT_SERVING)

    async def stop(self, grace: float) -> None:
        """Take no more calls, tell health checks so, and let those under way finish for `grace` seconds."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
