"""The snapshots of a campaign as policies to judge."""

from collections.abc import Sequence
from dataclasses import dataclass

from policies.base import Policy
from policies.bounds import Bounds, bounded
from policies.registry import learns
from policies.types import Action, Features, Pmf
from server.campaigns.learning import build_policy, matching_states
from server.campaigns.model import Campaign
from server.errors import InvalidRequest
from server.evaluation.extent import Extent
from server.evaluation.log import newest_campaign
from server.store import campaigns as campaign_rows
from server.store import training as training_rows
from server.store.database import Database
from server.training.restore import restore
from simulator import LANGUAGES, Candidate

SNAPSHOT = "snapshot:"
MAX_DIGITS = 9
"""Of a snapshot's number: a database counts no further."""


@dataclass(frozen=True, slots=True)
class Served:
    """A policy as it is served: with the explore share on top, inside the bounds. name: its own, as a campaign says
    it.
    """

    policy: Policy
    explore: float
    bounds: Bounds
    name: str

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        return bounded(self.policy.pmf(context, actions), actions, explore=self.explore, bounds=self.bounds).pmf


def snapshot_candidate(
    database: Database, campaign: str, slot: str, name: str, extent: Extent | None = None, *, lang: str = "en"
) -> Candidate:
    """The policy of `snapshot:NUMBER`, as it was served; judged only on decisions later than those it learned.

    Raises NoSuchSnapshot, InvalidRequest.
    """
    number = snapshot_number(name)
    snapshot = restore(database, number)
    if snapshot.campaign != campaign:
        raise InvalidRequest(f"snapshot {number} is of campaign {snapshot.campaign!r}, not {campaign!r}")
    with database.reading() as connection:
        stored = campaign_rows.read_version(connection, campaign, snapshot.version)
        last = training_rows.last_decision_learned(connection, campaign, snapshot.trained_through)
    last = last or snapshot.created_at  # what it learned is past its retention: all of it was earlier than this
    trained = Campaign.from_document(stored.document)
    states = matching_states(trained, snapshot.slots)
    found = states.get(slot)
    if found is None and (slot not in trained.slots or learns(trained.policy_of(slot))):
        raise InvalidRequest(f"snapshot {number} has learned nothing for slot {slot!r}")
    newest = newest_campaign(database, campaign, extent)
    if slot in newest.slots and _sight(trained, slot) != _sight(newest, slot):
        raise InvalidRequest(
            f"snapshot {number} was trained with {_sight(trained, slot)}, and the log is read with "
            f"{_sight(newest, slot)}, as the campaign is now: expected a snapshot that sees the same"
        )
    built = build_policy(trained, slot, found.state if found else None)  # no state: of a policy that never learns
    decided_by = found.policy if found else trained.policy_of(slot)
    policy = Served(built, trained.explore_of(slot), trained.bounds_of(slot), str(decided_by))
    note = LANGUAGES[lang].as_served.format(policy=decided_by)
    return Candidate(name, policy, judged_after=last.timestamp(), note=note)


def snapshot_number(name: str) -> int:
    """The NUMBER of `snapshot:NUMBER`. Raises InvalidRequest."""
    number = name.removeprefix(SNAPSHOT)
    if not (number.isascii() and number.isdecimal() and len(number) <= MAX_DIGITS):
        raise InvalidRequest(f"{name[:60]!r}: expected {SNAPSHOT}NUMBER, as elige campaign show prints it")
    return int(number)


def _sight(campaign: Campaign, slot: str) -> str:
    """Which of the features that we make the policy of a slot sees, as a campaign file says it."""
    wording, clock = ("true" if seen else "false" for seen in (campaign.slots[slot].worded, campaign.clock))
    return f"wording: {wording}, clock: {clock}"
