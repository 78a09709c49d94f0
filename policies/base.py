"""What a policy is, and the only place where a choice is drawn."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from policies.types import Action, Features, Pmf, TrainingExample

SUM_TOLERANCE = 1e-9
"""How far the sum of a normalised pmf may be from 1."""


class Policy(Protocol):
    """Context and actions in, a probability for every action out; never a choice."""

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) probabilities over the k ≥ 1 actions, in their order. Does not change the policy."""
        ...


@runtime_checkable
class Learner(Policy, Protocol):
    """A policy that also learns from rewards. Not thread-safe: one owner at a time."""

    @property
    def arguments(self) -> str:
        """The exact configuration in force, as kept with each snapshot."""
        ...

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        """Learn the examples, in order. Calls no `pmf` in between: predictions may move a learner's state."""
        ...

    def dump(self) -> bytes:
        """The trained state. The same calls from the same bytes give the same bytes."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A policy that found something out which people may want to know."""

    def findings(self, lang: str = "en") -> Sequence[str]:
        """One line each, in English or Spanish: `en`, `es`."""
        ...


class InvalidPmf(ValueError):
    """What a policy returned is not a probability distribution."""


class UnreadableSnapshot(ValueError):
    """The bytes are not a learner of this kind."""


def uniform(k: int) -> Pmf:
    """(k,) equal probabilities."""
    return np.full(k, 1.0 / k)


def normalise(raw: Iterable[float], *, tolerance: float = 1e-3) -> Pmf:
    """Validate, then normalise once, in float64.

    Raises InvalidPmf when an entry is negative or not finite, or the sum misses 1 by more than `tolerance`:
    such a vector is a defect of the learner, not a rounding error.
    """
    entries = raw.tolist() if isinstance(raw, np.ndarray) else list(raw)
    plausible = entries and min(entries) >= 0.0 and max(entries) <= 1.0 + tolerance
    # summed exactly: neither the order of the entries nor the version of Python changes a bit
    total = math.fsum(entries) if plausible else math.nan
    if not abs(total - 1.0) <= tolerance:
        raise InvalidPmf(f"expected non-negative probabilities that sum to 1, got {entries[:20]} (sum {sum(entries)})")
    return np.array(entries) / total


def checked(pmf: Pmf, k: int) -> Pmf:
    """The pmf, if it is one over k actions. Raises InvalidPmf: what is drawn from has to be what is logged."""
    if pmf.shape != (k,) or not (abs(float(pmf.sum()) - 1.0) <= SUM_TOLERANCE and float(pmf.min()) >= 0.0):
        raise InvalidPmf(f"expected {k} non-negative probabilities that sum to 1, got {pmf.tolist()}")
    return pmf


def with_exploration(pmf: Pmf, share: float) -> Pmf:
    """Spread `share` evenly over all actions on top of the policy: (1 - share)·pmf + share/k."""
    if share == 0.0:
        return pmf
    return (1.0 - share) * pmf + share / pmf.size


def draw_point(secret: bytes, decision_id: str, slot: str) -> float:
    """The point in [0, 1) that decides one draw: a keyed hash of decision id and slot.

    Nobody without the secret can predict it, and anyone with the log and the secret can recompute it.
    """
    message = f"{decision_id}\x00{slot}".encode()
    digest = hashlib.blake2b(message, key=secret, digest_size=8, person=b"elige-draw").digest()
    return (int.from_bytes(digest, "big") >> 11) / float(1 << 53)


def sample(pmf: Pmf, point: float) -> int:
    """The index of the action whose share of [0, 1) holds `point`. The only draw in the house.

    Never returns an action of probability zero, whatever the rounding of the cumulative sum.
    """
    if not 0.0 <= point < 1.0:
        raise ValueError(f"point {point}: expected a number in [0, 1)")
    index = int(np.searchsorted(np.cumsum(pmf), point, side="right"))
    if index < pmf.size and pmf[index] > 0.0:
        return index
    return int(np.flatnonzero(pmf)[-1])
