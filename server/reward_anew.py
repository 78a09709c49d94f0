"""Another formula over the outcomes that were kept: what decisions would have earned by it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from server.campaigns.model import Campaign
from server.errors import InvalidRequest
from server.outcomes import earn
from server.records import Matured, Outcome

CHUNK = 500
"""Decisions whose outcomes are read at once."""

OutcomesOf = Callable[[Sequence[str]], Mapping[str, Sequence[Outcome]]]
"""The outcomes of these decisions that were not late, in the order in which they happened."""


@dataclass(frozen=True, slots=True)
class OtherReward:
    """What a decision is to earn instead. `range`: the least and the greatest; None for the campaign's own."""

    value: str
    range: tuple[float, float] | None = None


def with_reward(campaign: Campaign, other: OtherReward) -> Campaign:
    """The campaign as it would be with this reward; window and default stay. Raises InvalidCampaign."""
    document = campaign.document()
    bounds = document["reward"]["range"] if other.range is None else list(other.range)
    document["reward"] = {**document["reward"], "value": other.value, "range": bounds}
    return Campaign.from_document(document)


def earned_anew(rows: Iterable[Matured], campaign: Campaign, outcomes_of: OutcomesOf) -> Iterator[Matured]:
    """The rows with what they earn by this campaign's formula. What counts for nothing goes on doing so.

    Raises InvalidRequest for a decision for which the formula has no finite answer: to leave it out would be to judge
    by the others.
    """
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        happened = outcomes_of([row.decision.id for row in chunk if row.excluded is None])
        for row in chunk:
            closes_at = row.decision.window_closes_at
            if row.excluded is not None or closes_at is None:
                yield row
                continue
            anew = earn(campaign, row.decision.id, happened[row.decision.id], closes_at=closes_at)
            if anew.error is not None:
                raise InvalidRequest(f"decision {row.decision.id}: {anew.error}")
            yield replace(row, reward=anew.reward, slot_rewards=anew.slot_rewards, excluded=anew.excluded, error=None)
