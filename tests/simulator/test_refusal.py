"""Red means no number, unless it is forced, and then it says so."""

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from simulator import Finding, Group, Log, Severity, View, diagnose_log, evaluate, open_bandit, render, to_html
from simulator.groups import By
from simulator.reports.finding_lines import lines
from simulator.reports.plots import values

MakeLog = Callable[..., Log]


def shown(*args: object) -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(*args)
    return console.export_text()


@pytest.fixture
def spoilt(make_log: MakeLog) -> Log:
    """Half of what showed `b` was lost."""
    log = make_log(1200)
    return log[(log.chosen != 1) | (np.arange(1200) % 2 == 0)]


def test_an_unsound_log_refuses_every_policy_but_the_logged_one(spoilt: Log) -> None:
    lang = By("lang", lambda context: context["lang"])
    found = evaluate(spoilt, ["epsilon"], by=lang)
    assert found.findings[0].check == "sample_ratio"
    assert found.findings[0].severity is Severity.RED
    assert not found.answered
    assert not found.forced
    assert found.best().name == "logged"
    for rows in (found.rows, *(group.rows for group in found.groups)):
        assert rows[0].estimates["mean"].value > 0.0
        for row in rows[1:]:
            assert row.estimates == {}
            assert "what is in the log is not what was drawn" in str(row.refusal)
    assert "can judge nothing but the logged policy" in found.verdict
    text = shown(render(found))
    assert text.count("what is in the log is not what was drawn") == 1, "as a finding, and not again for all rows"
    assert "red, sample ratio: '" in text
    assert "checks are green: " in text
    assert "(forced)" not in text
    assert "SNIPS" not in text, "no table of estimators without estimates"


def test_nothing_is_trained_for_nothing(spoilt: Log) -> None:
    told: list[str] = []
    evaluate(spoilt, ["epsilon"], progress=lambda what, done: told.append(what))
    assert told == []


def test_forced_numbers_are_marked_wherever_they_stand(spoilt: Log) -> None:
    found = evaluate(spoilt, ["epsilon"], force=True)
    assert found.forced
    assert found.answered
    assert [(row.name, row.forced) for row in found.rows] == [(row.name, row.name != "logged") for row in found.rows], (
        "what was served needs no estimate"
    )
    assert all(row.estimates for row in found.rows)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["forced"]
    assert plain["rows"][1]["forced"]
    assert plain["findings"][0]["severity"] == "red"
    assert plain["findings"][0]["numbers"]["p_value"] < 1e-4
    text, page = shown(render(found)), to_html(found)
    assert "uniform (forced)" in text
    assert "uniform (forced)" in page
    assert "logged (forced)" not in text
    assert "uniform (forced)" in values(found).layout.yaxis.ticktext
    assert page.index('<li class="red">') < page.index('class="verdict"'), "what is wrong comes before any number"
    assert page.count('<li class="red">') == sum(one.severity is Severity.RED for one in found.findings)


def test_a_sound_log_is_the_same_forced_or_not(make_log: MakeLog) -> None:
    free, forced = evaluate(make_log()), evaluate(make_log(), force=True)
    assert free.to_dict() == forced.to_dict()
    assert not forced.forced


def test_a_policy_is_forced_by_itself(make_log: MakeLog) -> None:
    rewards = np.zeros(600)
    rewards[:3] = 1.0
    log = make_log(rewards=rewards)
    found = evaluate(log, ["uniform"])
    assert str(found.row("uniform").refusal).startswith("the rewarded rounds that speak about it count as")
    assert not found.answered
    forced = evaluate(log, ["uniform"], force=True).row("uniform")
    assert forced.forced
    assert forced.refusal is None
    assert [one.check for one in forced.findings if one.severity is Severity.RED] == ["events"]
    assert forced.estimates["dr"].high > forced.estimates["dr"].low


def test_what_no_force_can_tell(make_log: MakeLog) -> None:
    """None of the logged choices is one that it would make: there is nothing to weigh."""
    log = make_log(known=False, chosen=np.arange(600) % 2, propensities=np.full(600, 0.5))
    row = evaluate(log, ["fixed:c"], force=True).row("fixed:c")
    assert row.refusal == "none of the 600 logged choices is one that this policy would ever make"
    assert not row.forced
    (support,) = (one for one in row.findings if one.check == "support")
    assert (support.numbers["low"], support.numbers["high"]) == (0.0, 1.0)


def test_a_question_is_answered_when_one_policy_is(make_log: MakeLog) -> None:
    rewards = make_log().rewards.copy()
    rewards[make_log().chosen == 2] = 0.0
    log = make_log(rewards=rewards)
    assert evaluate(log, ["fixed:c", "uniform"]).answered
    assert evaluate(log).answered
    assert evaluate(log[:5]).answered, "nothing was named, and what was earned is told"
    assert not evaluate(log, ["fixed:c"]).answered
    assert evaluate(log, ["fixed:c"]).asked == ("fixed:c",)


def test_a_slot_of_a_page_is_an_answer(make_log: MakeLog) -> None:
    rewards = np.zeros(600)
    rewards[:3] = 1.0
    refused, told = evaluate(make_log(rewards=rewards), ["uniform"]), evaluate(make_log())
    slots = View("slot", "", (Group("headline", 600, told.rows, None),))
    assert not refused.answered
    assert replace(refused, views=(slots,)).answered


def test_sentences_are_in_the_language_asked_for(spoilt: Log) -> None:
    found = evaluate(spoilt, ["uniform"], lang="es")
    assert "lo registrado no es lo que se sorteó" in str(found.row("uniform").refusal)
    forced = evaluate(spoilt, ["uniform"], lang="es", force=True)
    assert any("decisiones cuentan como" in one.says for one in forced.row("uniform").findings)


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "One check is green: duplicates."), ("es", "Una comprobación en verde: duplicados.")],
)
def test_a_single_check_is_no_plural(lang: str, said: str) -> None:
    found = Finding("duplicates", Severity.GREEN, "")
    assert next(lines([found], lang=lang)) == (Severity.GREEN, said)


def test_lines_say_what_is_well_in_one(make_log: MakeLog, spoilt: Log) -> None:
    findings = evaluate(make_log()).findings
    green = "rewards, sample ratio, calibration of propensities, duplicates, reward drift, context drift"
    assert list(lines(findings)) == [
        (Severity.GREEN, f"6 checks are green: {green}."),
        (Severity.GREEN, "This log does not allow to check: reward delay."),
    ]
    assert next(lines(diagnose_log(spoilt, lang="es"), lang="es"))[1].startswith("rojo, proporción de la muestra: '")
    assert list(lines([])) == []


def test_uniform_from_thompson_sampling_is_bounded_and_never_negative(shared: Path) -> None:
    """The log tells only the propensity of what was chosen, and a weight of 178 stands beside 15 clicks."""
    log = open_bandit(shared / "data" / "obd" / "men" / "bts")
    found = evaluate(log, ["uniform"], estimators=["ips", "dr"], force=True)
    uniform = found.row("uniform")
    by_check = {one.check: one for one in uniform.findings}
    assert by_check["support"].severity is Severity.AMBER
    assert 0.0 <= by_check["support"].numbers["low"] < 0.0046 < by_check["support"].numbers["high"] < 0.3
    assert {by_check[name].severity for name in ("effective_sample", "events")} == {Severity.AMBER}
    assert any(row.forced for row in found.rows)
    for row in found.rows:
        for estimate in row.estimates.values():
            assert 0.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0, row.name
