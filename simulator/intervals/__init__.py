"""Intervals besides the usual one, each with what it needs: the persons drawn again, or scores with known bounds.

To add one: write its function; then its name, and of which estimates it is, in `simulator/estimators/basis.py`.
"""

from simulator.intervals.anytime import anytime
from simulator.intervals.bernstein import empirical_bernstein
from simulator.intervals.bootstrap import Ratios, Resampling
from simulator.intervals.likelihood import likelihood
from simulator.intervals.scores import Scores

__all__ = ["Ratios", "Resampling", "Scores", "anytime", "empirical_bernstein", "likelihood"]
