"""Campaigns' logs kept as long as they say, and no longer."""

from datetime import datetime, timedelta

import structlog

from server.campaigns.learning import learning_slots
from server.campaigns.model import Campaign
from server.records import State
from server.store import erasures, retention
from server.store.database import Database
from server.store.training import Lease

log = structlog.get_logger()

EVERY = timedelta(hours=1)
"""How often a campaign's log is looked at."""
CHUNKS = 20
"""The most transactions in one pass: training must not wait for long."""


class Retention:
    """Drops what is past its retention. One thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looked: dict[str, datetime] = {}

    def step(self, lease: Lease, campaign: Campaign, state: str, *, now: datetime) -> None:
        """Drop what is too old, once an hour, and as long as there is more. Raises LeaseLost."""
        looked = self._looked.get(lease.campaign)
        if looked is not None and looked <= now < looked + EVERY:  # a clock that jumped back must not stop it
            return
        with self._database.reading() as connection:
            if erasures.to_replace(connection, lease.campaign) is not None:
                return  # a lineage that learns all of the log must not lose its beginning on the way
        learns = state != State.KILLED and bool(learning_slots(campaign))
        decisions = outcomes = 0
        for _ in range(CHUNKS):
            with self._database.writing([lease.campaign]) as connection:
                before = now - campaign.retention
                dropped = retention.drop(connection, lease, before=before, learns=learns, now=now)
            decisions, outcomes = decisions + dropped.decisions, outcomes + dropped.outcomes
            if not dropped.more:
                self._looked[lease.campaign] = now
                break
        if decisions or outcomes:
            log.info("log past its retention dropped", campaign=lease.campaign, decisions=decisions, outcomes=outcomes)
