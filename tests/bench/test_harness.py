"""The timing code, under a clock that moves only when told."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from bench.figures import as_text, write_json
from bench.harness import Round, Side, compare, duration, in_flight, one_after_another


class FakeClock:
    """Seconds that pass only by `wait`."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def steady(*rates: float, log: list[str] | None = None, name: str = "") -> Side:
    """A side that in its n-th round makes the n-th rate of calls a second, each as long as the rate says."""
    left = iter(rates)

    def side(seconds: float) -> Round:
        if log is not None:
            log.append(name)
        rate = next(left)
        return Round(seconds, np.full(round(rate * seconds), 1.0 / rate))

    return side


def test_every_round_runs_all_sides_and_begins_with_another() -> None:
    log: list[str] = []
    compare(
        {name: steady(1, 1, 1, 1, log=log, name=name) for name in "abc"}, baseline="a", rounds=4, seconds_per_round=1.0
    )
    assert ["".join(log[i : i + 3]) for i in range(0, 12, 3)] == ["abc", "bca", "cab", "abc"]


def test_ratios_are_of_the_same_round_so_that_a_drifting_machine_cancels_out() -> None:
    found = compare(
        {"no-op": steady(1000, 500, 2000), "ours": steady(500, 250, 1000)},
        baseline="no-op",
        rounds=3,
        seconds_per_round=1.0,
    )
    ratio = found.results["ours"].ratio
    assert (ratio.low, ratio.median, ratio.high) == (0.5, 0.5, 0.5)
    assert found.results["no-op"].ratio.median == 1.0
    assert found.results["ours"].rates == (500.0, 250.0, 1000.0)
    assert found.results["ours"].rate == 500.0


def test_the_ratio_is_the_median_of_ratios_not_the_ratio_of_medians() -> None:
    found = compare(
        {"a": steady(10, 20, 40), "b": steady(10, 10, 10)}, baseline="a", rounds=3, seconds_per_round=1.0
    ).results["b"]
    assert (found.ratio.low, found.ratio.median, found.ratio.high) == (0.25, 0.5, 1.0)


def test_latencies_are_those_of_all_calls_so_that_a_bad_round_is_not_left_out() -> None:
    rounds = iter([np.full(900, 0.001), np.full(100, 0.1)])
    found = compare({"a": lambda seconds: Round(seconds, next(rounds))}, baseline="a", rounds=2, seconds_per_round=1.0)
    assert found.results["a"].p50 == 0.001
    assert found.results["a"].p99 == 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"baseline": "b"}, "no side 'b' to compare with; there are: 'a'"),
        ({"rounds": 0}, "0 rounds: expected at least 1"),
        ({"seconds_per_round": 0.0}, "0.0 seconds a round: expected more than 0"),
        ({"seconds_per_round": float("nan")}, "nan seconds a round"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object], message: str) -> None:
    usual = {"baseline": "a", "rounds": 1, "seconds_per_round": 1.0}
    with pytest.raises(ValueError, match=message):
        compare({"a": steady(1)}, **{**usual, **settings})  # type: ignore[arg-type]


def test_a_side_without_calls_is_refused_not_rated_zero() -> None:
    with pytest.raises(ValueError, match=r"idle made no call in 1\.0 s"):
        compare({"idle": steady(0.1)}, baseline="idle", rounds=1, seconds_per_round=1.0)


def test_one_after_another_counts_whole_calls_and_finishes_the_last() -> None:
    clock = FakeClock()
    one = one_after_another(lambda: clock.wait(0.4), clock=clock)(1.0)
    assert one.latencies == pytest.approx([0.4, 0.4, 0.4])
    assert one.seconds == pytest.approx(1.2)
    assert one.rate == pytest.approx(2.5)


def test_in_flight_keeps_so_many_calls_under_way_and_no_more() -> None:
    clock = FakeClock()
    under_way = most = 0

    async def call() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)  # let the others begin
        clock.wait(0.25)
        under_way -= 1

    one = asyncio.run(in_flight(call, seconds=2.0, at_once=4, clock=clock))
    assert most == 4
    assert under_way == 0
    # on this clock one call after the other takes 0.25 s: eight end in time, and three more had begun
    assert one.latencies.size == 11
    assert one.seconds == 2.75


def test_a_call_that_fails_fails_the_round() -> None:
    async def call() -> None:
        raise ConnectionError("gone")

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(in_flight(call, seconds=1.0, at_once=2, clock=FakeClock()))
    assert caught.group_contains(ConnectionError, match="gone")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.0, "2.00 s"), (0.0123, "12.3 ms"), (0.123, "123 ms"), (4.56e-5, "45.6 µs"), (1.2e-7, "0.120 µs")],
)
def test_durations_have_three_digits_in_the_unit_that_suits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_table_is_aligned_markdown() -> None:
    found = compare(
        {"no-op": steady(4000, 4000), "ours": steady(1000, 3000)}, baseline="no-op", rounds=2, seconds_per_round=1.0
    )
    assert as_text(found.figures("a title")).splitlines() == [
        "a title",
        "",
        "| side  | calls/s |    p50 |     p99 | rate / no-op (min..max) |",
        "| ----- | ------: | -----: | ------: | ----------------------: |",
        "| no-op |   4,000 | 250 µs |  250 µs |       1.00 (1.00..1.00) |",
        "| ours  |   2,000 | 333 µs | 1.00 ms |       0.50 (0.25..0.75) |",
    ]


def test_json_holds_every_round_unrounded(tmp_path: Path) -> None:
    found = compare({"a": steady(3, 7), "b": steady(6, 7)}, baseline="a", rounds=2, seconds_per_round=1.0)
    write_json(tmp_path / "figures.json", [found.figures("one")])
    document = json.loads((tmp_path / "figures.json").read_text())
    (result,) = document["results"]
    assert result["title"] == "one"
    assert (result["baseline"], result["rounds"], result["seconds_per_round"]) == ("a", 2, 1.0)
    assert result["sides"]["b"] == {
        "rate": 6.5,
        "rates": [6.0, 7.0],
        "p50": 1 / 7,
        "p99": 1 / 6,
        "ratio": {"median": 1.5, "low": 1.0, "high": 2.0},
    }
    assert {"cores", "python"} < document.keys()
