"""Progressive loss: how each policy would have done on what it is about to learn, and so has not seen yet.

Before a segment is learned, a copy of each slot's policy, as it was, is asked for its probabilities on up to ASKED of
the segment's decisions, evenly spaced. Each of them stands for as many as there are from one to the next.

    loss   = (high - reward) / (high - low), clipped to [0, 1]; [low, high] is the declared range of the reward
    weight = min(pmf(chosen) / propensity, MOST), times the decisions that it stands for
    progressive loss = Σ weight · loss / Σ weight, over the whole lineage: self-normalised (Swaminathan & Joachims 2015)

It is of the policy alone, without the explore share and bounds on top of it. A mean over a lineage: it lags behind a
policy that got better, and is no substitute for an evaluation, which has intervals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from policies.base import Policy, checked
from policies.types import RewardRange, TrainingExample
from server.campaigns.learning import build_policy, learning_slots
from server.campaigns.model import Campaign
from server.records import Matured, SlotState
from server.training.learners import training_examples
from server.trial import VersionOf

log = structlog.get_logger()

ASKED = 32
"""Decisions of a segment for which the policy before it is asked, at most."""
MOST = 20.0
"""The largest weight of one decision: a little bias, for a sum that no single one governs."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Sums over one segment."""

    loss_sum: float = 0.0
    weight: float = 0.0


def measure(
    campaign: Campaign, before: Mapping[str, SlotState], rows: Sequence[Matured], version_of: VersionOf
) -> dict[str, Losses]:
    """By slot, what the policies that go on from `before` lose on the rows that they learn next.

    Always copies: to be asked moves what a learner counts, and the bytes that go on with it. One that fails is left
    out, and said: whether it can be learned on from is not found out here.
    """
    asked = rows if len(rows) <= ASKED else [rows[place * len(rows) // ASKED] for place in range(ASKED)]
    found = {}
    for slot in learning_slots(campaign):
        try:
            policy = build_policy(campaign, slot, before[slot].state if slot in before else None)
            examples = [one for row in asked for one in training_examples(row, slot, campaign, version_of)]
            each = _losses(policy, examples, campaign.reward_range)
        except Exception as error:  # noqa: BLE001 whatever it is, it must not keep the segment from being learned
            log.warning(
                "loss not measured", campaign=campaign.campaign, slot=slot, reason=f"{type(error).__name__}: {error}"
            )
        else:
            stands_for = len(rows) / len(asked)
            found[slot] = Losses(each.loss_sum * stands_for, each.weight * stands_for)
    return found


def added(state: SlotState, before: SlotState | None, losses: Losses | None) -> SlotState:
    """The state with what its segment lost, on top of what the lineage had before."""
    losses = losses or Losses()
    loss_sum = (before.loss_sum if before else None) or 0.0
    weight = (before.loss_weight if before else None) or 0.0
    return replace(state, loss_sum=loss_sum + losses.loss_sum, loss_weight=weight + losses.weight)


def _losses(policy: Policy, examples: Iterable[TrainingExample], rewards: RewardRange) -> Losses:
    loss_sum = total = 0.0
    for one in examples:
        pmf = checked(policy.pmf(one.context, one.actions), len(one.actions))
        weight = min(float(pmf[one.chosen]) / float(one.probabilities[one.chosen]), MOST)
        loss = (rewards.high - one.reward) / (rewards.high - rewards.low)
        loss_sum += weight * min(max(loss, 0.0), 1.0)
        total += weight
    return Losses(loss_sum, total)
