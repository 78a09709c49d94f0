"""What is earlier and what is later, without all times in memory."""

from pathlib import Path

import numpy as np
import pytest

from simulator import ColumnMapping, LogError
from simulator.sources.frames import parquet_log
from simulator.streams.pieces import Reader, pieces_of
from simulator.streams.times import Times

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

MAPPING = ColumnMapping("arm", "visit", shares="equal", time="at")


def times_of(path: Path, at: list[float], monkeypatch: pytest.MonkeyPatch) -> Times:
    monkeypatch.setattr("simulator.streams.pieces.PIECE", 4)
    n = len(at)
    rows = {"arm": ["a", "b"] * (n // 2), "visit": [1.0] * n, "at": at}
    parquet.write_table(arrow.table(rows), path, row_group_size=4)
    pieces = pieces_of(path, MAPPING)
    assert len(pieces) == n // 4
    return Times(Reader("log", MAPPING, batch=3), pieces)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.55, 0.77, 0.95])
@pytest.mark.parametrize("seed", range(6))
def test_the_cut_is_that_of_a_log_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, seed: int
) -> None:
    """Also where many rounds have one time, so that the nearest cut is some pieces away."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.choice([1.0, 2.0, 3.0, 50.0], size=40, p=[0.1, 0.6, 0.2, 0.1]))
    times = times_of(tmp_path / "log.parquet", at.tolist(), monkeypatch)
    earlier, later = parquet_log(tmp_path / "log.parquet", MAPPING).split(share)
    assert times.cut(share) == (len(earlier), earlier.times[-1])
    assert times.later_than(float(earlier.times[-1])) == len(later)


def test_the_nearest_cut_may_be_in_the_next_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = times_of(tmp_path / "log.parquet", [0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0], monkeypatch)
    assert times.cut(0.45) == (4, 1.0)


def test_how_many_are_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = times_of(tmp_path / "log.parquet", [float(place // 2) for place in range(12)], monkeypatch)
    assert [times.later_than(moment) for moment in (-1.0, 0.0, 2.5, 3.0, 5.0)] == [12, 10, 6, 4, 0]


def test_all_of_one_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = times_of(tmp_path / "log.parquet", [7.0] * 12, monkeypatch)
    with pytest.raises(LogError, match="all 12 rounds have the same time"):
        times.cut(0.5)
