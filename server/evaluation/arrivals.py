"""When what a decision earned came in: late in its window means that more would have come after it."""

from collections.abc import Sequence
from math import nan

from server.campaigns.model import Campaign
from server.records import Decision, Outcome


def arrival(decision: Decision, outcomes: Sequence[Outcome], campaign: Campaign) -> float:
    """The moment of the last outcome that counts, as a share of the decision's reward window; nan where none does.

    outcomes: in the order in which they happened. Of a metric that counts `once` the first one is meant.
    """
    begins, closes = decision.activated_at or decision.at, decision.window_closes_at
    if closes is None or closes <= begins:
        return nan
    seen: set[str] = set()
    last = nan
    for outcome in outcomes:
        how = campaign.counted_metrics.get(outcome.metric)
        if how is None or outcome.at > closes or (how == "once" and outcome.metric in seen):
            continue
        seen.add(outcome.metric)
        last = (outcome.at - begins) / (closes - begins)
    return min(max(last, 0.0), 1.0)
