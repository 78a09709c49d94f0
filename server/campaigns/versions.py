"""New versions of campaigns: of a file, of a state. Appended, and only where something changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.campaigns.model import Campaign
from server.errors import InvalidCampaign, NoSuchCampaign, VersionConflict, WrongState
from server.records import State
from server.store import campaigns as campaign_rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database


@dataclass(frozen=True, slots=True)
class Put:
    """What became of a campaign file: the version in force afterwards (for a dry run: the one that would be)."""

    stored: StoredCampaign
    before: int

    @property
    def changed(self) -> bool:
        return self.stored.version != self.before


def put_campaign(
    database: Database,
    campaign: Campaign,
    source: str,
    *,
    now: datetime,
    expected_version: int | None = None,
    dry_run: bool = False,
    state: State = State.ACTIVE,
) -> Put:
    """Append a version, unless it equals the one in force. Raises VersionConflict, WrongState."""
    document = campaign.document()
    try:
        with database.writing() as connection:
            try:
                newest = campaign_rows.read_version(connection, campaign.campaign)
            except NoSuchCampaign:
                newest = None
            if newest and newest.state == State.ARCHIVED:
                raise WrongState(f"campaign {campaign.campaign!r} is archived: choose another name")
            before = newest.version if newest else 0
            if newest and expected_version in (None, before) and _in_full(newest.document) == document:
                return Put(newest, before)
            stored = campaign_rows.append_version(
                connection,
                campaign=campaign.campaign,
                state=newest.state if newest else state,
                document=document,
                source=source,
                now=now,
                expected_version=expected_version,
                pinned_snapshot=newest.pinned_snapshot if newest else None,
            )
            if dry_run:
                raise _DryRun(Put(stored, before))
            return Put(stored, before)
    except _DryRun as rolled_back:
        return rolled_back.put


class _DryRun(Exception):
    """Ends the transaction of a dry run, so that nothing of it stays."""

    def __init__(self, put: Put) -> None:
        super().__init__("dry run")
        self.put = put


def set_state(
    database: Database, campaign: str, state: State, *, now: datetime, expected_version: int | None = None
) -> StoredCampaign:
    """Append a version in this state, unless it is in it. Raises NoSuchCampaign, WrongState, VersionConflict."""
    with database.writing() as connection:
        newest = campaign_rows.read_version(connection, campaign)
        if expected_version is not None and expected_version != newest.version:
            raise VersionConflict(campaign, expected=expected_version, found=newest.version)
        if newest.state == state:
            return newest
        if state is State.DRAFT or newest.state == State.ARCHIVED:
            raise WrongState(f"campaign {campaign!r} is {newest.state}: it can't become {state.value}")
        return campaign_rows.append_version(
            connection,
            campaign=campaign,
            state=state,
            document=newest.document,
            source=newest.source,
            now=now,
            pinned_snapshot=newest.pinned_snapshot,
        )


def _in_full(document: dict[str, Any]) -> dict[str, Any]:
    """A stored document with the fields that came after it, each by its default: a program that knows more fields must
    not make a version of an unchanged file.
    """
    try:
        return Campaign.from_document(document).document()
    except InvalidCampaign:  # by a rule that came after it
        return document
