"""Flat records, of which any data frame is made."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from simulator import By, Log, Replaying, evaluate, to_records

MakeLog = Callable[..., Log]


def test_every_number_has_a_record_that_says_of_what_it_is(make_log: MakeLog) -> None:
    found = evaluate(
        make_log(n=1200),
        estimators=["ips", "snips"],
        by=["lang", By.of_rounds("half", ["x" if row < 1000 else "y" for row in range(1200)])],
        every=timedelta(hours=24),
        metrics={"one": np.arange(1200) % 2},
    )
    records = to_records(found)
    assert len({tuple(record) for record in records}) == 1, "all have the same keys"
    places = {(record["view"], record["key"], record["group"]) for record in records}
    assert places == {
        ("whole", None, None),
        ("group", "lang", "es"),
        ("group", "lang", "en"),
        ("group", "half", "x"),
        ("group", "half", "y"),
        ("time", "1d", "1970-01-01"),
        ("metric", None, "one"),
    }
    mine = [record for record in records if record["policy"] == "fixed:b" and record["group"] == "es"]
    row = next(row for group in found.groups if group.name == "es" for row in group.rows if row.name == "fixed:b")
    assert [record["estimator"] for record in mine] == ["ips", "snips"]
    for record in mine:
        estimate = row.estimates[str(record["estimator"])]
        assert (record["value"], record["low"], record["high"]) == (estimate.value, estimate.low, estimate.high)
        assert (record["n"], record["ess"], record["refusal"]) == (row.n, estimate.ess, None)
        headline = record["estimator"] == found.headline
        assert record["gain"] == (row.gain.value if headline and row.gain else None), "the gain is of one estimator"


def test_what_is_refused_has_a_record_without_numbers(make_log: MakeLog) -> None:
    log = make_log(n=1200)
    rewards = np.where([context["lang"] == "es" for context in log.contexts], 0.0, log.rewards)
    found = evaluate(make_log(n=1200, rewards=rewards), by="lang", estimators=["ips"])
    (silent,) = [record for record in to_records(found) if record["group"] == "es"]
    assert silent["policy"] is silent["value"] is silent["low"] is None
    assert "have the reward 0" in str(silent["refusal"])
    assert silent["n"] == int((np.array([context["lang"] for context in log.contexts]) == "es").sum())

    few = make_log(n=60)
    refused = {record["policy"]: record for record in to_records(evaluate(few, estimators=["ips"]))}["fixed:b"]
    assert (refused["estimator"], refused["value"]) == (None, None)
    assert "at least 50 are needed" in str(refused["refusal"])


def test_a_replayed_learner_has_its_gain_beside_its_one_value(make_log: MakeLog) -> None:
    found = evaluate(make_log(), ["best_variant"], estimators=["ips"], replay=Replaying(passes=1))
    (record,) = [record for record in to_records(found) if record["policy"] == "best_variant"]
    gain = found.row("best_variant").gain
    assert gain is not None
    assert record["gain"] == gain.value


def test_records_become_a_data_frame(make_log: MakeLog) -> None:
    pandas = pytest.importorskip("pandas")
    found = evaluate(make_log(), estimators=["ips", "snips"])
    frame = pandas.DataFrame(to_records(found))
    table = frame.pivot(index="policy", columns="estimator", values="value")
    assert table.loc["fixed:b", "snips"] == found.row("fixed:b").estimates["snips"].value
    assert frame["value"].dtype == frame["gain"].dtype == float
