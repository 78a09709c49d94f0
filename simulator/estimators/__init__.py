"""Off-policy estimators: plain functions on arrays, one small file a family."""

from simulator.estimators.direct import dm
from simulator.estimators.doubly_robust import dr, sndr
from simulator.estimators.estimate import Estimate, difference, effective_sample_size, mean
from simulator.estimators.importance import ips, snips
from simulator.estimators.tuned import Seen, clipped_ips, dros, switch_dr

__all__ = [
    "Estimate",
    "Seen",
    "clipped_ips",
    "difference",
    "dm",
    "dr",
    "dros",
    "effective_sample_size",
    "ips",
    "mean",
    "sndr",
    "snips",
    "switch_dr",
]
