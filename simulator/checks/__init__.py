"""What can be wrong with a log, or with a policy on it: one small file a check.

A check gives a `Finding`: green, amber or red, with one sentence on what was found and one on what to do. A red finding
about a policy refuses it, a red finding about the whole log refuses every policy but the logged one. To add one: write
its function, then its line in one of the lists below.
"""

from collections.abc import Callable

from simulator.checks.calibration import calibration
from simulator.checks.delay import reward_delay
from simulator.checks.drift import context_drift, reward_drift
from simulator.checks.known import duplicates, estimated_propensities, future
from simulator.checks.overlap import effective_sample, events, people
from simulator.checks.rewards import rewards
from simulator.checks.sample_ratio import ratio_of_counts, sample_ratio
from simulator.checks.support import support
from simulator.checks.weights import mean_weight, weight_tail
from simulator.checks.wording import Voice
from simulator.diagnostics import Diagnostics
from simulator.findings import Finding
from simulator.logs.log import Log

__all__ = ["LOG_CHECKS", "POLICY_CHECKS", "diagnose_log", "diagnose_policy", "ratio_of_counts"]

LOG_CHECKS: tuple[Callable[[Log, Voice], Finding | None], ...] = (
    future,
    rewards,
    sample_ratio,
    calibration,
    estimated_propensities,
    duplicates,
    reward_delay,
    reward_drift,
    context_drift,
)
"""None: this log does not hold what the check needs."""

POLICY_CHECKS: tuple[Callable[[Diagnostics, Voice], Finding], ...] = (
    support,
    effective_sample,
    events,
    people,
    weight_tail,
    mean_weight,
)
"""The first that is red gives the reason of a refusal."""


def diagnose_log(log: Log, *, lang: str = "en") -> tuple[Finding, ...]:
    """What the checks find about a log as a whole, the worst first. lang: of the sentences, one of LANGUAGES."""
    voice = Voice(lang)
    found = [finding for check in LOG_CHECKS if (finding := check(log, voice))]
    return tuple(sorted(found, key=lambda finding: finding.severity.rank))


def diagnose_policy(found: Diagnostics, *, lang: str = "en") -> tuple[Finding, ...]:
    """What the checks find about a policy on a log, in the order of POLICY_CHECKS."""
    voice = Voice(lang)
    return tuple(check(found, voice) for check in POLICY_CHECKS)
