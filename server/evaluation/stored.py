"""The database as where logs are."""

from collections.abc import Callable
from dataclasses import dataclass

from server.evaluation.groups import groups_by
from server.evaluation.log import OnLeftOut, read_log
from server.evaluation.request import EvaluationRequest
from server.evaluation.snapshots import snapshot_candidate
from server.store.database import Database
from simulator import By, Candidate, Log


@dataclass(frozen=True, slots=True)
class Stored:
    """As `server.evaluation.run.Source` says."""

    database: Database

    def log(self, request: EvaluationRequest, *, progress: Callable[[float], None], left_out: OnLeftOut) -> Log:
        return read_log(
            self.database,
            request.campaign,
            slot=request.slot,
            since=request.since,
            until=request.until,
            where=request.where,
            reward=request.reward,
            progress=progress,
            left_out=left_out,
        )

    def snapshot(self, campaign: str, slot: str, name: str) -> Candidate:
        return snapshot_candidate(self.database, campaign, slot, name)

    def groups(self, log: Log, key: str) -> By:
        return groups_by(self.database, log, key)
