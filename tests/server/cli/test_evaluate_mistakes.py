"""`elige evaluate`: a mistake is one clear sentence and an exit that is not 0; what is red is refused with exit 3."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.cli import app

Run = Callable[..., Result]
Trial = Callable[..., Result]
MAPPING = "variant: arm\nreward: visit\nshares: equal\ncontext: {country: text}\ntime: at\n"


def rows(n: int = 400, *, arms: str = "ab", visit: Callable[[int], int] = lambda i: int(i % 3 == 0)) -> list[str]:
    return [f"{arms[i % len(arms)]},{visit(i)},{'ES' if i % 5 else 'PT'},{1_700_000_000 + i}" for i in range(n)]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.fixture
def trial(run: Run) -> Trial:
    """Imports a trial with these lines as campaign `trial`."""

    def bring(lines: Iterable[str], mapping: str = MAPPING) -> Result:
        Path("trial.csv").write_text("arm,visit,country,at\n" + "\n".join(lines) + "\n")
        Path("trial.yaml").write_text(mapping)
        return run("import", "csv", "trial.csv", "--mapping", "trial.yaml", "--campaign", "trial")

    return bring


def evaluated(run: Run, *arguments: str) -> Result:
    return run("evaluate", "--campaign", "trial", *arguments)


def test_a_log_without_propensities(trial: Trial) -> None:
    told = trial(rows(), MAPPING.replace("shares: equal\n", ""))
    assert told.exit_code == 1
    assert "without the probability of each choice can't be evaluated" in str(told.exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "2030-01-01"], "campaign 'trial' has no decision in this period"),
        (
            ["--since", "2030-01-02", "--until", "2030-01-01"],
            "since 2030-01-02T00:00:00+00:00 is not before until 2030-01-01T00:00:00+00:00: the period is empty",
        ),
        (["--where", "country == 'FR'"], "\"country == 'FR'\" holds for none of the 400 decisions of campaign 'trial'"),
        (["--slot", "hero"], "campaign 'trial' has no slot 'hero'; it has: variant"),
        (["--policy", "fixed:c"], "policy 'fixed:c': no variant 'c' in this log; it has: ['a', 'b']"),
        (["--policy", "epsilonn"], "did you mean 'epsilon'"),
        (["--lang", "fr"], "language 'fr': expected one of en, es"),
        (["--seed", "9" * 20], "seed 99999999999999999999: expected 0 to 9007199254740992"),
        (["--learn-every", "10"], "learn_every '10': expected together with replay"),
    ],
    ids=["empty period", "since after until", "where", "slot", "variant", "policy", "language", "seed", "learn every"],
)
def test_what_can_not_be_asked_of_this_log(run: Run, trial: Trial, arguments: list[str], says: str) -> None:
    assert trial(rows()).exit_code == 0
    told = evaluated(run, *arguments)
    assert told.exit_code == 1
    assert says in str(told.exception)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (rows(arms="a"), "never had more than one variant to choose from (['a']): there is nothing to compare"),
        (rows(visit=lambda i: 0), "have the reward 0: no policy can be told from another; wait for rewards"),
    ],
    ids=["one variant", "constant reward"],
)
def test_logs_that_tell_nothing(run: Run, trial: Trial, lines: list[str], says: str) -> None:
    assert trial(lines).exit_code == 0
    told = evaluated(run)
    assert told.exit_code == 1
    assert says in str(told.exception)


def test_times_that_have_not_been_yet_refuse_everything(run: Run, trial: Trial) -> None:
    """Milliseconds taken for seconds, or another century."""
    assert trial(line.replace(",17", ",41") for line in rows()).exit_code == 0
    told = evaluated(run)
    assert told.exit_code == 3
    assert "400 of 400 rounds are later than now; the last is of 2099-" in told.output
    text = " ".join(told.output.split())
    assert text.count("400 of 400 rounds are later than now") == 1, "the reason is told once"
    assert "No policy can be judged while a check is red." in text
    forced = evaluated(run, "--force", "--estimator", "snips")
    assert forced.exit_code == 0
    assert "fixed:a (forced)" in forced.output


def test_a_target_that_the_log_can_not_judge(run: Run, trial: Trial) -> None:
    """`a` is never rewarded."""
    assert trial(rows(visit=lambda i: int(i % 6 == 1))).exit_code == 0
    told = evaluated(run, "--policy", "fixed:a", "--estimator", "snips")
    assert told.exit_code == 3
    assert (
        "fixed:a: refused, the rewarded rounds that speak about it count as 0.0; at least 5 are needed." in told.output
    )
    assert evaluated(run, "--policy", "fixed:a", "--policy", "uniform", "--estimator", "snips").exit_code == 0
    assert evaluated(run, "--estimator", "snips").exit_code == 0, "nothing was named"
    forced = json.loads(evaluated(run, "--policy", "fixed:a", "--estimator", "snips", "--force", "--json").stdout)
    assert forced["forced"]
    assert {row["name"]: row["forced"] for row in forced["rows"]} == {
        "logged": False,
        "uniform": False,
        "fixed:a": True,
        "fixed:b": False,
    }


def test_shares_that_do_not_hold_refuse_everything(run: Run, trial: Trial) -> None:
    lost = [line for i, line in enumerate(rows(800)) if line.startswith("a") or i % 4 != 1]
    assert trial(lost).exit_code == 0
    told = evaluated(run, "--policy", "uniform")
    assert told.exit_code == 3
    assert "red, sample ratio: 'a' was chosen in 66.67 % of the rounds where 50.00 % was expected" in told.output


def test_only_the_findings(run: Run, trial: Trial) -> None:
    assert trial(rows(400)).exit_code == 0
    told = evaluated(run, "--diagnose")
    assert told.exit_code == 0
    green = "rewards, sample ratio, duplicates, reward delay, reward drift, context drift"
    missing = "This log does not allow to check: calibration of propensities."
    assert told.stdout == f"6 checks are green: {green}.\n{missing}\n"
    plain = json.loads(evaluated(run, "--diagnose", "--json", "--lang", "es").stdout)
    assert [one["severity"] for one in plain] == ["green"] * 6
    assert plain[0]["says"].startswith("134 de 400 decisiones")


def test_red_findings_end_with_3(run: Run, trial: Trial) -> None:
    assert trial(rows(visit=lambda i: 0)).exit_code == 0
    told = evaluated(run, "--diagnose")
    assert told.exit_code == 3
    assert told.stdout.startswith("red, rewards: All 400 rounds have the reward 0: no policy can be told from another.")
    assert "Wait for rewards, or check that they arrive." in told.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--world", "rare", "--engine", "spark"], "'spark': expected one of local, ray"),
        (["--world", "rare", "--engine", "ray"], "expected with a .parquet log"),
        (["--world", "rare", "--cluster", "10.0.0.1:6379"], "goes with --engine ray"),
        (["--world", "rare", "--html", "nowhere/page.html"], "no folder 'nowhere' to write it to"),
        (["--world", "rare", "--html", "."], "'.' is a folder; expected a file"),
        (["--world", "rare", "--log", "trial.csv", "--mapping", "trial.yaml"], "goes with no other log"),
        (["--world", "rare", "--seed", "-3"], "--seed"),
        (["--campaign", "a", "--rounds", "5"], "goes with --world"),
        (
            ["--world", "rare", "--diagnose", "--policy", "auto", "--html", "a.html"],
            "expected without --policy, --html",
        ),
    ],
)
def test_what_can_not_be_had_is_told_before_the_log_is_read(run: Run, arguments: list[str], message: str) -> None:
    told = run("evaluate", *arguments)
    assert told.exit_code == 2
    assert message in " ".join(told.output.split())
