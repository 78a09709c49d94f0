"""The database as where logs are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from server.evaluation.extent import Extent
from server.evaluation.groups import groups_by
from server.evaluation.log import OnLeftOut, newest_campaign, read_stored
from server.evaluation.reading import Reading
from server.evaluation.request import EvaluationRequest, wanted_by
from server.evaluation.snapshots import snapshot_candidate
from server.store.database import Database
from simulator import By, Candidate, Log


@dataclass(frozen=True, slots=True)
class Stored:
    """As `server.evaluation.run.Source` says. extent: what of the log to see, by default all of it."""

    database: Database
    extent: Extent | None = None

    def read(self, request: EvaluationRequest, *, progress: Callable[[float], None], left_out: OnLeftOut) -> Reading:
        return read_stored(
            self.database,
            request.campaign,
            wanted_by(request),
            since=request.since,
            until=request.until,
            reward=request.reward,
            extent=self.extent,
            progress=progress,
            left_out=left_out,
        )

    def snapshot(self, campaign: str, slot: str, name: str, lang: str = "en") -> Candidate:
        return snapshot_candidate(self.database, campaign, slot, name, self.extent, lang=lang)

    def window(self, campaign: str) -> timedelta:
        return newest_campaign(self.database, campaign, self.extent).reward.window

    def groups(self, log: Log, key: str, lang: str = "en") -> By:
        return groups_by(self.database, log, key, self.extent, lang=lang)
