"""Intervals besides the usual one, each with what it needs: the persons drawn again, or scores with known bounds."""

from simulator.limits.anytime import anytime
from simulator.limits.bernstein import empirical_bernstein
from simulator.limits.bootstrap import Ratios, Resampling
from simulator.limits.likelihood import likelihood
from simulator.limits.scores import Scores

__all__ = ["Ratios", "Resampling", "Scores", "anytime", "empirical_bernstein", "likelihood"]
