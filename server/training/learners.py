"""What the slots of a campaign learn from, and one segment of learning: pure, given the log."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np

from policies.base import Learner
from policies.types import TrainingExample
from server.campaigns.learning import (
    actions_of,
    build_policy,
    configuration,
    counts,
    learning_slots,
    seen_by_policy,
)
from server.campaigns.model import Campaign
from server.records import Choice, Group, Matured, SlotState, state_digest
from server.trial import VersionOf


def learn_segment(
    campaign: Campaign, states: Mapping[str, SlotState], rows: Sequence[Matured], version_of: VersionOf
) -> tuple[tuple[SlotState, ...], int]:
    """Continue each learning slot from its saved bytes over one segment of the sequence; returns the new states
    and the number of examples learned.

    Always load, learn in sequence, dump: the same bytes and the same segment give the same bytes. Raises
    UnreadableSnapshot.
    """
    learned = 0
    after: list[SlotState] = []
    for slot in learning_slots(campaign):
        before = states.get(slot)
        learner = build_policy(campaign, slot, before.state if before else None)
        assert isinstance(learner, Learner)
        examples = [example for row in rows for example in training_examples(row, slot, campaign, version_of)]
        learner.learn(examples)
        learned += len(examples)
        state = learner.dump()
        after.append(
            SlotState(
                slot=slot,
                policy=str(campaign.policy_of(slot)),
                arguments=learner.arguments,
                configuration=configuration(campaign, slot),
                state=state,
                digest=state_digest(state),
                examples=((before.examples if before else None) or 0) + len(examples),
            )
        )
    return tuple(after), learned


def training_examples(row: Matured, slot: str, campaign: Campaign, version_of: VersionOf) -> Iterable[TrainingExample]:
    """The example that a matured decision gives the slot's learner: one, or none where it does not count.

    `campaign` is the version that learns: it says which kinds of choice count, and whether the time and the variants'
    texts are seen.
    """
    decision = row.decision
    for position, choice in enumerate(decision.choices):
        if choice.slot != slot:
            continue
        reward = row.reward_of(slot)
        control = decision.group is Group.CONTROL
        if reward is None or control or not choice.eligible or not counts(campaign, choice.kind):
            return
        yield TrainingExample(
            context=seen_by_policy(campaign, decision, position),
            actions=actions_of(version_of(decision.version), choice, worded=campaign.slots[slot].worded),
            probabilities=np.array(choice.probabilities or _as_told(choice)),
            chosen=choice.eligible.index(choice.variant),
            reward=reward,
        )


def _as_told(choice: Choice) -> list[float]:
    """Probabilities of the eligible, where only that of the chosen was told: the others share the rest alike. That is
    assumed, and harmless as long as learners use the propensity of the chosen alone, as all of the menu do.

    Where nothing was told, the chosen one counts as certain: so does a rule choose, which is what most systems in place
    are. Learners that weigh by propensity then learn a draw as if it had been such a rule.
    """
    certain = 1.0 if choice.propensity is None else choice.propensity
    rest = (1.0 - certain) / max(1, len(choice.eligible) - 1)
    return [certain if variant == choice.variant else rest for variant in choice.eligible]


@lru_cache(maxsize=1)
def package_versions() -> Mapping[str, Any]:
    """The versions on which a snapshot's bytes depend."""
    return {name: version(name) for name in ("elige", "vowpalwabbit", "numpy")}
