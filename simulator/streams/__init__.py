"""Evaluations of logs that are larger than memory: read in pieces, of which only sums are kept."""

from simulator.streams.evaluate import evaluate_parquet

__all__ = ["evaluate_parquet"]
