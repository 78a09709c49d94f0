"""What is asked of a plan, and what it answers: as PlanRequest and PlanResponse of the contract say."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from policies.registry import PolicySpec, check
from server.durations import iso_duration
from server.errors import InvalidRequest
from simulator import LANGUAGES
from simulator.asked import LEAST_CONFIDENCE, MOST_CONFIDENCE
from simulator.logs.validation import GREATEST, SMALLEST

HORIZON = timedelta(days=90)
MOST_A_DAY = 1e12
"""Decisions: a hundred for everybody alive."""
LEAST_HORIZON, MOST_HORIZON = timedelta(days=1), timedelta(days=731)


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """What one hopes to find. None: from the campaign's last 28 days, or the campaign itself.

    difference: in reward a decision; by default a tenth of the mean reward. mean_reward: of the default variants.
    policy: as in a campaign file. Raises InvalidRequest for a number outside its range, PolicyError for no policy.
    """

    campaign: str
    difference: float | None = None
    decisions_per_day: float | None = None
    mean_reward: float | None = None
    reward_deviation: float | None = None
    policy: PolicySpec | None = None
    level: float = 0.95
    power: float = 0.8
    horizon: timedelta = HORIZON
    seed: int = 0
    language: str = "en"

    def __post_init__(self) -> None:
        for name in ("difference", "decisions_per_day", "reward_deviation"):
            value = getattr(self, name)
            least, most = (0.0, MOST_A_DAY) if name == "decisions_per_day" else (SMALLEST, GREATEST)
            if value is not None and not (least <= value <= most and value > 0.0):
                raise InvalidRequest(f"{name} {value:g}: expected a number above 0, from {least:g} to {most:g}")
        if self.mean_reward is not None and not abs(self.mean_reward) <= GREATEST:
            raise InvalidRequest(f"mean_reward {self.mean_reward:g}: expected {-GREATEST:g} to {GREATEST:g}")
        for name in ("level", "power"):
            if not LEAST_CONFIDENCE <= getattr(self, name) <= MOST_CONFIDENCE:
                expected = f"expected a number between 0 and 1, from {LEAST_CONFIDENCE:g} to {MOST_CONFIDENCE:.6g}"
                raise InvalidRequest(f"{name} {getattr(self, name):g}: {expected}")
        if not LEAST_HORIZON <= self.horizon <= MOST_HORIZON:
            raise InvalidRequest(
                f"horizon {iso_duration(self.horizon) if self.horizon > timedelta(0) else self.horizon}: "
                "expected from 1 day to 2 years"
            )
        if self.seed < 0:
            raise InvalidRequest(f"seed {self.seed}: expected 0 or more")
        if self.language not in LANGUAGES:
            raise InvalidRequest(f"language {self.language!r}: expected one of {', '.join(LANGUAGES)}")
        if self.policy is not None:
            check(self.policy)


@dataclass(frozen=True, slots=True)
class Assumption:
    """One number, or name, that a plan was made with; and where it came from, in words."""

    value: float | str
    source: str


@dataclass(frozen=True, slots=True)
class PlannedPoint:
    """What to expect by one moment. power: the probability that an evaluation of the log by then finds the difference.
    gain: what the policy earns more than the defaults, summed over all decisions by then; low, high: the range in which
    it lies at the level asked.
    """

    after: timedelta
    decisions: int
    power: float
    gain: float
    gain_low: float
    gain_high: float


@dataclass(frozen=True, slots=True)
class Planned:
    """Whether, and when, the traffic suffices. None where the horizon is too near.

    even_split: the decisions that an even split among the variants would take, in closed form.
    """

    decisions_needed: int | None
    time_needed: timedelta | None
    points: tuple[PlannedPoint, ...]
    assumptions: Mapping[str, Assumption]
    summary: str
    even_split: int

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, texts and numbers, ready for JSON. Durations are ISO 8601, in whole seconds."""
        return {
            "decisions_needed": self.decisions_needed,
            "time_needed": None if self.time_needed is None else _iso(self.time_needed),
            "even_split": self.even_split,
            "points": [{**asdict(point), "after": _iso(point.after)} for point in self.points],
            "assumptions": {name: asdict(one) for name, one in self.assumptions.items()},
            "summary": self.summary,
        }


def _iso(duration: timedelta) -> str:
    return iso_duration(timedelta(seconds=max(1, round(duration.total_seconds()))))
