"""An experiment in which assignment failed for half a year, as its authors say: the sample-ratio check finds when."""

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import pytest

from simulator import ratio_of_counts

UNSOUND = ("201325", "201401")
"""25 June 2013 to 10 January 2014 as YYYYWW, weeks from Monday."""
P = 1e-3


@pytest.fixture(scope="module")
def flagged(shared: Path) -> dict[str, list[bool]]:
    """By week, of each test whether the impressions of its packages are far from alike."""
    path = shared / "data" / "upworthy" / "headlines.csv.gz"
    if not path.exists():
        pytest.skip(f"no headlines: {path} is absent")
    shown: dict[tuple[str, str], list[int]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            shown[row["test_week"], row["clickability_test_id"]].append(int(row["impressions"]))
    weeks: dict[str, list[bool]] = defaultdict(list)
    for (week, _), counts in shown.items():
        if len(counts) > 1:
            weeks[week].append(ratio_of_counts(counts).p_value < P)
    return weeks


def test_two_thirds_of_the_unsound_tests_are_flagged_and_hardly_any_other(flagged: dict[str, list[bool]]) -> None:
    unsound = [one for week, tests in flagged.items() if UNSOUND[0] <= week <= UNSOUND[1] for one in tests]
    sound = [one for week, tests in flagged.items() if not UNSOUND[0] <= week <= UNSOUND[1] for one in tests]
    assert (len(unsound), len(sound)) == (537, 1958)
    assert sum(unsound) / len(unsound) == pytest.approx(0.70, abs=0.01)
    assert sum(sound) / len(sound) < 0.01


def test_every_unsound_week_stands_out(flagged: dict[str, list[bool]]) -> None:
    shares = {week: sum(tests) / len(tests) for week, tests in flagged.items() if len(tests) >= 10}
    found = {week for week, share in shares.items() if share > 0.2}
    assert found == {week for week in shares if UNSOUND[0] <= week <= UNSOUND[1]}
    assert len(found) > 20
