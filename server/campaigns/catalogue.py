"""The campaigns as they are served: in memory, newest version, with trained policies. One reference each, swapped."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.base import Policy
from policies.bounds import Bounds
from policies.types import Action
from server.campaigns.learning import build_policy, matching_states
from server.campaigns.model import Campaign
from server.errors import NoSuchCampaign
from server.records import Snapshot, State
from server.store.campaigns import StoredCampaign


@dataclass(frozen=True, slots=True)
class ServedSlot:
    """One slot, ready to decide."""

    name: str
    default: str | None
    takes_candidates: bool
    worded: bool
    """Whether its policy sees what a variant's text says."""
    actions: Mapping[str, Action]
    contents: Mapping[str, Mapping[str, Any]]
    policy: Policy
    policy_name: str
    bounds: Bounds
    """Empty where no variant has any."""


@dataclass(frozen=True, slots=True)
class Served:
    """One version of a campaign with the snapshot it serves from."""

    campaign: Campaign
    name: str
    version: int
    number: int
    state: State
    snapshot: int | None
    """The one whose state is served; None where no slot has learned anything that fits."""
    newest_snapshot: int | None
    """The newest there is, also if it fits no slot or can't be served."""
    slots: Mapping[str, ServedSlot]


def serve(stored: StoredCampaign, snapshot: Snapshot | None) -> Served:
    """Build what is served. Slots whose state does not fit this version start untrained. Raises UnreadableSnapshot."""
    campaign = Campaign.from_document(stored.document)
    states = matching_states(campaign, snapshot.slots if snapshot else ())
    slots = {}
    for name, slot in campaign.slots.items():
        slots[name] = ServedSlot(
            name=name,
            default=slot.default,
            takes_candidates=slot.candidates,
            worded=slot.worded,
            actions=slot.worded_actions if slot.worded else slot.plain_actions,
            contents={variant.id: variant.content for variant in slot.variants},
            policy=build_policy(campaign, name, states[name].state if name in states else None),
            policy_name=str(campaign.policy_of(name)),
            bounds=campaign.bounds_of(name),
        )
    return Served(
        campaign=campaign,
        name=stored.campaign,
        version=stored.version,
        number=stored.number,
        state=State(stored.state),
        snapshot=snapshot.id if snapshot and states else None,
        newest_snapshot=snapshot.id if snapshot else None,
        slots=slots,
    )


class Catalogue:
    """What this server serves, by name and by number. Owned by one event loop: nothing here is locked."""

    def __init__(self) -> None:
        self._by_name: dict[str, Served] = {}
        self._by_number: dict[int, Served] = {}

    def get(self, name: str) -> Served:
        """Raises NoSuchCampaign."""
        served = self._by_name.get(name)
        if served is None:
            raise NoSuchCampaign(name, sorted(self._by_name))
        return served

    def by_number(self, number: int) -> Served:
        """The campaign inside a genuine decision id. Raises NoSuchCampaign."""
        served = self._by_number.get(number)
        if served is None:
            raise NoSuchCampaign(f"number {number}", sorted(self._by_name))
        return served

    def all(self) -> tuple[Served, ...]:
        return tuple(self._by_name.values())

    def put(self, served: Served) -> None:
        """Serve this from now on, in place of what had its name."""
        self._by_name[served.name] = served
        self._by_number[served.number] = served
