"""The campaign: what a campaign file says, as frozen models.

The file is read by `file.py`, which knows lines; the rules between fields are in `rules.py`. A campaign that exists
has passed both, wherever it came from.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from policies.bounds import Bounds
from policies.expressions import Expression, compile_expression
from policies.registry import PolicySpec, learns
from policies.types import Action, RewardRange
from policies.wording import wording
from server.campaigns import fields
from server.campaigns.problems import Problem, problem_of, section_of
from server.campaigns.rules import CANCELS, broken_rules
from server.durations import iso_duration
from server.errors import InvalidCampaign

DEFAULT_POLICY = PolicySpec("auto")
DEFAULT_EXPLORE = 0.02
"""Of policies that learn. Enough to judge every variant from the log, little enough not to matter: what it costs is
at most this share of the difference between the best variant and the average."""

DEFAULT_RETENTION = timedelta(days=400)
"""Of every decision: a year, and the weeks in which it is compared with the year before."""

DEFAULT_LEARN_FROM: tuple[fields.LearnedKind, ...] = ("drawn",)


class _Model(BaseModel):
    # strict: `explore: "0.05"` is a mistake, not a number
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Shares(_Model):
    """The shares of the decisions that one variant may have."""

    min: fields.Share = Field(default=0.0, description="The least.")
    max: fields.Share = Field(default=1.0, description="The greatest.")


class Variant(_Model):
    """One thing a slot can show."""

    id: fields.VariantId = Field(description="Unique in its slot.")
    content: fields.Content = Field(default={}, description="What is shown: free JSON, returned with the decision.")
    features: fields.FeatureValues = Field(default={}, description="What a learner may know of it, beside its id.")
    share: Shares | None = Field(
        default=None, description="The probability that it is given, whatever the policy says."
    )


class Slot(_Model):
    """One choice inside a campaign."""

    default: fields.VariantId | None = Field(default=None, description="The variant that was shown before us.")
    variants: Annotated[tuple[Variant, ...], Field(strict=False, max_length=1_000)] = Field(
        default=(), description="What it can show. Needed unless candidates is true."
    )
    candidates: bool = Field(default=False, description="Whether a call may bring variants of its own.")
    policy: fields.Policy | None = Field(default=None, description="The policy of this slot. Default: the campaign's.")
    seen: fields.Seen = Field(
        default="activation",
        description="Whether a call that defers the activation defers this slot, or, with decision, it is seen before: "
        "a subject line, a send time.",
    )
    wording: bool | None = Field(
        default=None,
        description="Whether policies see the words and the looks of variants' texts. "
        "Default: whether it takes candidates, whose texts are new all the time.",
    )

    @property
    def worded(self) -> bool:
        """Whether policies see what the variants' texts say."""
        return self.candidates if self.wording is None else self.wording

    @cached_property
    def plain_actions(self) -> Mapping[str, Action]:
        """The variants by id, as a policy sees them that sees no text."""
        return {variant.id: Action(variant.id, variant.features) for variant in self.variants}

    @cached_property
    def worded_actions(self) -> Mapping[str, Action]:
        """The variants by id, with what their texts say."""
        return {one.id: Action(one.id, {**one.features, **wording(one.content)}) for one in self.variants}


class Reward(_Model):
    """What a decision earns: a formula over its outcomes inside the window."""

    window: fields.Window = Field(description="How long outcomes count, from 1s to 90d: 30m, 1h30m, 3d or ISO 8601.")
    default: fields.Finite = Field(default=0.0, description="The reward of a decision without outcomes.")
    range: fields.Range = Field(
        default=(0.0, 1.0), description="The least and the greatest reward. Learners take their scale from it."
    )
    value: fields.Text = Field(description="A CEL formula over the metrics. Default: the only metric.")

    @cached_property
    def formula(self) -> Expression:
        """`value`, compiled once. It reads metrics; one without outcomes has to be given as 0.0."""
        return compile_expression(self.value, names=None)


class Campaign(_Model):
    """One decision point with its own goal and learners."""

    campaign: fields.Name = Field(description="Its name.")
    description: fields.Text = Field(default="", max_length=10_000, description="For people.")
    metrics: Annotated[Mapping[fields.Metric, fields.Aggregation], Field(min_length=1, max_length=50)] = Field(
        description="What is measured, and how several outcomes of one decision become one number; with cancels, "
        "an outcome says that the decision never arrived."
    )
    reward: Reward = Field(description="What a decision earns.")
    explore: fields.Share | None = Field(
        default=None,
        description="Total share spread evenly over the eligible variants, on top of what the policy explores. "
        f"Default: {DEFAULT_EXPLORE} for policies that learn, 0 for the others.",
    )
    policy: fields.Policy = Field(default=DEFAULT_POLICY, description="The policy of every slot without its own.")
    context: fields.Context = Field(
        default={}, description="The features of a request and their kinds, or any. What is not declared is dropped."
    )
    clock: bool = Field(
        default=True, description="Whether policies see the part of the day and the weekday, in the person's time zone."
    )
    learn_from: fields.LearnFrom = Field(
        default=DEFAULT_LEARN_FROM,
        description="Which choices are learned: drawn, by the campaign's own policies; observed, made elsewhere and "
        "told to us. None: it decides and logs, and learns nothing.",
    )
    activation_ttl: fields.Window = Field(
        default=timedelta(days=1),
        description="How long a decision whose activation is deferred waits for it, from 1s to 90d.",
    )
    retention: fields.Retention = Field(
        default=DEFAULT_RETENTION,
        json_schema_extra={"default": iso_duration(DEFAULT_RETENTION)},  # pydantic would count in years
        description="How long the log keeps a decision: longer than it waits for activation and outcomes, up to 3650d.",
    )
    slots: Annotated[Mapping[fields.Name, Slot], Field(min_length=1, max_length=20)] = Field(
        description="The choices, decided in this order."
    )

    @model_validator(mode="before")
    @classmethod
    def _only_metric_is_the_reward(cls, raw: Any) -> Any:
        match raw:
            case {"metrics": Mapping() as metrics, "reward": Mapping() as reward}:
                # a file whose metrics all cancel is told that, and not that its formula is missing
                counted = [metric for metric, how in metrics.items() if how != CANCELS] or list(metrics)
                if len(counted) == 1:
                    return {**raw, "reward": {"value": counted[0], **reward}}
        return raw

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        for problem in broken_rules(self.document()):
            raise ValueError(str(problem))
        return self

    @cached_property
    def counted_metrics(self) -> Mapping[str, fields.Aggregation]:
        """The metrics that a reward is made of, by the names that formulas know."""
        return {metric: how for metric, how in self.metrics.items() if how != CANCELS}

    def cancels(self, metric: str) -> bool:
        """Whether an outcome of this metric says that its decision never arrived."""
        return self.metrics.get(metric) == CANCELS

    def policy_of(self, slot: str) -> PolicySpec:
        """The slot's own policy, else the campaign's."""
        return self.slots[slot].policy or self.policy

    def explore_of(self, slot: str) -> float:
        """The share that is spread evenly over the eligible variants of this slot."""
        if self.explore is not None:
            return self.explore
        # the shares of the others are the author's own: nothing is explored beside them unless the file says so
        return DEFAULT_EXPLORE if learns(self.policy_of(slot)) else 0.0

    def bounds_of(self, slot: str) -> Bounds:
        """The shares that the variants of this slot may have, of those that have bounds."""
        variants = self.slots[slot].variants
        return {one.id: (one.share.min, one.share.max) for one in variants if one.share is not None}

    @property
    def reward_range(self) -> RewardRange:
        """The declared bounds, as learners take them."""
        return RewardRange(*self.reward.range)

    def document(self) -> dict[str, Any]:
        """The campaign as JSON, every default written out. `from_document` gives an equal campaign back."""
        return self.model_dump(mode="json")

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Raises InvalidCampaign with everything that is wrong."""
        campaign, problems = cls.read(document)
        if campaign is None:
            raise InvalidCampaign("\n".join(map(str, problems)))
        return campaign

    @classmethod
    def read(cls, raw: Any) -> tuple[Self | None, tuple[Problem, ...]]:
        """The campaign, or all that is wrong with `raw`: fields and the rules between them, found independently."""
        try:
            return cls.model_validate(raw), ()
        except ValidationError as error:
            of_fields = [one for one in error.errors() if one["type"] != "value_error"]
            problems = (*(problem_of(one, _fields_around(one["loc"])) for one in of_fields), *broken_rules(raw))
            # never none: a file whose campaign vanished would look applied
            return None, problems or (Problem((), str(error)),)


def _fields_around(loc: tuple[str | int, ...]) -> list[str]:
    models: dict[str, type[_Model]] = {
        "campaign": Campaign,
        "reward": Reward,
        "slot": Slot,
        "variant": Variant,
        "share": Shares,
    }
    model = models.get(section_of(loc))
    return list(model.model_fields) if model else []
