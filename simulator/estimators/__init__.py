"""Off-policy estimators: plain functions on arrays, one small file a family."""

from simulator.estimators.direct import dm
from simulator.estimators.doubly_robust import dr
from simulator.estimators.estimate import Estimate, difference, effective_sample_size, mean
from simulator.estimators.importance import ips, snips

__all__ = ["Estimate", "difference", "dm", "dr", "effective_sample_size", "ips", "mean", "snips"]
