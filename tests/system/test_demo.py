"""The demo does what it says."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest


@pytest.mark.slow
def test_the_demo_learns_and_judges(elige: Callable[..., CompletedProcess[str]], tmp_path: Path) -> None:
    ran = elige("demo", "--folder", "demo")
    assert ran.returncode == 0, ran.stderr
    closed = re.search(r"landing, last \d waves: .* (\d+)% of the gap closed", ran.stdout)
    assert closed, ran.stdout
    assert int(closed[1]) >= 70
    estimates = re.findall(r"^ *(\S+) +\d\.\d+ +\d\.\d+ to \d\.\d+ +\d\.\d+ +(inside|outside)", ran.stdout, re.M)
    judged = [name for name, _ in estimates]
    assert len(judged) >= 5
    assert {"uniform", "auto"} <= set(judged)
    # each interval is to hold the truth in 95 of 100 runs: most of these do
    assert sum(verdict == "inside" for _, verdict in estimates) >= 0.7 * len(estimates)
    for page in ("landing.html", "newsletter.html"):
        assert "Plotly.newPlot" in (tmp_path / "demo" / page).read_text()
    with closing(sqlite3.connect(tmp_path / "demo" / "elige.db")) as connection:
        assert connection.execute("select count(distinct snapshot_id) from decisions").fetchone()[0] > 10
