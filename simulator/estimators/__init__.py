"""Off-policy estimators: plain functions on arrays, one small file a family."""

from simulator.estimators.direct import dm
from simulator.estimators.doubly_robust import dr, sndr
from simulator.estimators.estimate import Estimate, difference, effective_sample_size, mean
from simulator.estimators.evidence import Evidence, expectation
from simulator.estimators.importance import ips, snips
from simulator.estimators.registry import ESTIMATORS, HEADLINES, USUAL, Estimator
from simulator.estimators.tuned import clipped_ips, dros, switch_dr

__all__ = [
    "ESTIMATORS",
    "HEADLINES",
    "USUAL",
    "Estimate",
    "Estimator",
    "Evidence",
    "clipped_ips",
    "difference",
    "dm",
    "dr",
    "dros",
    "effective_sample_size",
    "expectation",
    "ips",
    "mean",
    "sndr",
    "snips",
    "switch_dr",
]
