"""Off-policy estimators: plain functions on arrays, one small file a family."""

from simulator.estimators.asking import (
    Method,
    check_names,
    estimates_of,
    estimator_of,
    headline_of,
    modelled,
    unsuited,
    with_method,
)
from simulator.estimators.basis import ANYTIME, INTERVALS, NORMAL
from simulator.estimators.cressie_read import cressie_read
from simulator.estimators.direct import dm
from simulator.estimators.doubly_robust import dr, sndr
from simulator.estimators.estimate import Estimate, difference, doubt, effective_sample_size, mean
from simulator.estimators.evidence import Choices, Evidence, expectation
from simulator.estimators.importance import ips, snips
from simulator.estimators.loggers import balanced_ips
from simulator.estimators.registry import ESTIMATORS, HEADLINES, NAMES, USUAL, Estimator
from simulator.estimators.related import kernel, mips
from simulator.estimators.tuned import clipped_ips, dros, switch_dr

__all__ = [
    "ANYTIME",
    "ESTIMATORS",
    "HEADLINES",
    "INTERVALS",
    "NAMES",
    "NORMAL",
    "USUAL",
    "Choices",
    "Estimate",
    "Estimator",
    "Evidence",
    "Method",
    "balanced_ips",
    "check_names",
    "clipped_ips",
    "cressie_read",
    "difference",
    "dm",
    "doubt",
    "dr",
    "dros",
    "effective_sample_size",
    "estimates_of",
    "estimator_of",
    "expectation",
    "headline_of",
    "ips",
    "kernel",
    "mean",
    "mips",
    "modelled",
    "sndr",
    "snips",
    "switch_dr",
    "unsuited",
    "with_method",
]
