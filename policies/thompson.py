"""Thompson sampling: every variant with the probability that it is the best, given what was learned.

Thompson 1933; Russo, Van Roy, Kazerouni, Osband and Wen 2018, "A tutorial on Thompson sampling". The probabilities are
computed by quadrature, not counted from samples.

Priors come in levels, each centred on what is known one level above: a variant starts from what the variants of its
slot earn, and where there are segments, a variant in a segment starts from what it earns everywhere. What is new is
thereby tried about as often as the average, not as if it might earn half of the reward range. Before the first example
the prior is the textbook's: uniform on [0, 1].
"""

from collections.abc import Sequence

import numpy as np

from policies.quadrature import Betas, Students, chances_of_being_best
from policies.tallies import Tallies, Tally, TallyLearner
from policies.types import Pmf, RewardRange

_PRIOR_WEIGHT = 1.0
"""Examples that the prior of a mean counts for (`gaussian`)."""
_PRIOR_SHAPE = 5.0
"""Half the degrees of freedom of the prior of a variance (`gaussian`): a variant that saw three equal rewards must not
believe that it always earns them."""


def thompson(*, reward_range: RewardRange, by: str = "", half_life: float = 0.0, state: bytes | None) -> TallyLearner:
    """Beta–Bernoulli. A scaled reward of 0.3 counts as 0.3 successes and 0.7 failures.

    That is exact for rewards at the two ends of the range, and overestimates the variance of others: `gaussian` learns
    it. Raises UnreadableSnapshot.
    """
    return TallyLearner("thompson", _best_by_beta, reward_range=reward_range, by=by, half_life=half_life, state=state)


def gaussian(*, reward_range: RewardRange, by: str = "", half_life: float = 0.0, state: bytes | None) -> TallyLearner:
    """Normal rewards of unknown mean and variance: a normal-inverse-gamma posterior, whose mean is a Student's t, here
    known to lie in the range. Murphy 2007, "Conjugate Bayesian analysis of the Gaussian distribution". Raises
    UnreadableSnapshot.
    """
    return TallyLearner(
        "gaussian", _best_by_student, reward_range=reward_range, by=by, half_life=half_life, state=state
    )


def flattest_beta(mean: float) -> tuple[float, float]:
    """a and b of the widest Beta with this mean that has no peak at either end: min(a, b) = 1. Uniform for mean 1/2."""
    return max(1.0, mean / (1.0 - mean)), max(1.0, (1.0 - mean) / mean)


def beta_posterior(tallies: Tallies, variant: str, segment: str | None) -> tuple[float, float]:
    """a and b of the mean scaled reward of a variant (in a segment)."""
    a, b = _updated(flattest_beta(tallies.mean()), tallies.of(variant))
    if segment is None:
        return a, b
    return _updated(flattest_beta(a / (a + b)), tallies.of(variant, segment))


def _updated(prior: tuple[float, float], tally: Tally) -> tuple[float, float]:
    return prior[0] + tally.r, prior[1] + max(0.0, tally.n - tally.r)


def student_posterior(
    tallies: Tallies, variant: str, segment: str | None, *, variance: float
) -> tuple[float, float, float]:
    """Mean, scale and degrees of freedom of the mean scaled reward of a variant (in a segment).

    `variance` is the prior's, of single rewards: that of all variants together.
    """
    posterior = _normal_inverse_gamma(tallies.mean(), variance, tallies.of(variant))
    if segment is None:
        return posterior
    return _normal_inverse_gamma(posterior[0], variance, tallies.of(variant, segment))


def _normal_inverse_gamma(prior_mean: float, variance: float, tally: Tally) -> tuple[float, float, float]:
    weight = _PRIOR_WEIGHT + tally.n
    mean = (_PRIOR_WEIGHT * prior_mean + tally.r) / weight
    shape = _PRIOR_SHAPE + 0.5 * tally.n
    gap = tally.r / tally.n - prior_mean if tally.n > 0.0 else 0.0
    rate = _PRIOR_SHAPE * variance + 0.5 * (tally.scatter + gap * gap * _PRIOR_WEIGHT * tally.n / weight)
    return mean, float(np.sqrt(rate / (shape * weight))), 2.0 * shape


def _best_by_beta(tallies: Tallies, variants: Sequence[str], segment: str | None) -> Pmf:
    a, b = np.array([beta_posterior(tallies, variant, segment) for variant in variants]).T
    return chances_of_being_best(Betas(a, b))


def _best_by_student(tallies: Tallies, variants: Sequence[str], segment: str | None) -> Pmf:
    variance = tallies.variance()
    posteriors = [student_posterior(tallies, variant, segment, variance=variance) for variant in variants]
    mean, scale, freedom = np.array(posteriors).T
    return chances_of_being_best(Students(mean, scale, freedom))
