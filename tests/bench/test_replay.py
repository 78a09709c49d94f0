"""What is measured is there: the numbers are the machine's."""

from pathlib import Path

import pytest

from bench import replay
from simulator.replay.record import PROGRESSIVE, REJECTION


def test_the_driver_sees_every_row(tmp_path: Path) -> None:
    text = tmp_path / "log.txt"
    assert replay.write_text(text, 30) == 30.0
    assert replay.driven(text, 30) > 0.0
    with pytest.raises(ValueError, match=r"the driver saw 30\.0 of 31 rows"):
        replay.driven(text, 31)


@pytest.mark.parametrize("method", [PROGRESSIVE, REJECTION])
def test_the_same_rows_are_replayed(method: str) -> None:
    assert replay.replayed(method, 60) > 0.0


def test_a_table_of_all_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {replay.driven: 100.0, replay.replayed: 25.0, replay.write_text: 0.0}
    monkeypatch.setattr(replay, "_alone", lambda task, arguments: rates[task])
    found = replay.measure(rows=20, rounds=2)
    assert [row[0] for row in found.rows] == [replay.DRIVER, "progressive", "rejection", "dr"]
    assert found.rows[1][2] == "0.25 (0.25..0.25)"
