"""What was found out about a campaign, as the contract says it."""

from collections.abc import Sequence

from elige.v1 import evaluations_pb2 as pb
from server.evaluation.diagnosing import Examined
from server.rpc.results_wire import SEVERITIES, write_finding
from simulator.findings import Severity, plain


def write_diagnosed(found: Sequence[Examined]) -> pb.DiagnoseResponse:
    """The worst first; green where nothing was found."""
    worst = min((one.finding.severity for one in found), key=lambda one: one.rank, default=Severity.GREEN)
    return pb.DiagnoseResponse(
        severity=SEVERITIES[worst], findings=[write_finding({**plain(one.finding), "slot": one.slot}) for one in found]
    )
