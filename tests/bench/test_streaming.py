"""The log of the benchmark is sound, and its truth is the truth."""

from pathlib import Path

import pytest

from bench.streaming import MAPPING, write_log
from simulator import ColumnMapping, evaluate_parquet


def test_uniform_earns_what_the_log_was_made_with(tmp_path: Path) -> None:
    truth = write_log(tmp_path / "log.parquet", 20_000)
    found = evaluate_parquet(tmp_path / "log.parquet", ColumnMapping.from_dict(MAPPING), estimators=["snips"], cores=1)
    estimate = found.row("uniform").estimates["snips"]
    assert estimate.n == 20_000
    assert estimate.value == pytest.approx(truth, abs=4.0 * estimate.standard_error)
