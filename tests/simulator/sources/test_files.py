from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from policies.types import Action, Features, Pmf, RewardRange
from simulator import Candidate, ColumnMapping, MappingError, SourceError, csv_log, evaluate, open_bandit

TRIAL = """when,who,arm,p,bought,country,age,new
2024-05-01T10:00:00+02:00,ana,blue,0.25,1,ES,31,yes
2024-05-01T09:00:00+02:00,,red,0.75,0,,,no
1714550400,ana,red,0.75,0.5,PT,40.5,0
"""
FULL = {
    "variant": "arm",
    "reward": "bought",
    "propensity": "p",
    "time": "when",
    "person": "who",
    "context": {"country": "text", "age": "number", "new": "flag"},
}


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    path = tmp_path / "trial.csv"
    path.write_text(TRIAL, encoding="utf-8")
    return path


def test_csv(trial: Path) -> None:
    log = csv_log(trial, ColumnMapping.from_dict(FULL))
    assert list(log.contexts) == [{"new": False}, {"country": "ES", "age": 31.0, "new": True},
                                  {"country": "PT", "age": 40.5, "new": False}]  # fmt: skip
    assert log.times.tolist() == [1714546800.0, 1714550400.0, 1714550400.0]
    assert [log.actions[i].id for i in log.chosen] == ["red", "blue", "red"]
    assert log.propensities.tolist() == [0.75, 0.25, 0.75]
    assert log.probabilities is None
    assert log.rewards.tolist() == [0.0, 1.0, 0.5]
    assert log.persons[0] < 0 <= log.persons[1] == log.persons[2]
    assert log.timed


@pytest.mark.parametrize(
    ("shares", "propensities", "known"),
    [
        ("equal", [0.5, 0.5, 0.5], [0.5, 0.5]),
        ("1/2", [0.5, 0.5, 0.5], [0.5, 0.5]),
        (0.4, [0.4, 0.4, 0.4], None),
        ({"blue": 0.2, "red": 0.8}, [0.2, 0.8, 0.8], [0.2, 0.8]),
    ],
)
def test_chances_from_the_design(trial: Path, shares: object, propensities: list[float], known: object) -> None:
    mapping = ColumnMapping.from_dict({"variant": "arm", "reward": "bought", "shares": shares})
    log = csv_log(trial, mapping)
    assert log.propensities.tolist() == propensities
    assert (log.probabilities is None) == (known is None)
    if log.probabilities is not None:
        assert log.probabilities[0].tolist() == known
    assert log.times.tolist() == [0.0, 1.0, 2.0]
    assert not log.timed
    assert len(set(log.persons)) == 3


def test_all_mistakes_of_a_mapping_at_once() -> None:
    with pytest.raises(MappingError) as caught:
        ColumnMapping.from_dict(
            {
                "reward": 3,
                "propensity": "p",
                "shares": {"a": 0.5, "b": 0.6},
                "variants": ["a", "a"],
                "context": {"age": "integer"},
                "reward_range": [1, 0],
                "delimiter": ";;",
                "encoding": "utf-9",
                "default": "z",
                "colour": "red",
            }
        )
    text = str(caught.value)
    for expected in (
        "no field 'colour'",
        "reward: 3, expected a text",
        "variant is missing",
        "propensity and shares are both given",
        "their sum is 1.1, expected 1",
        "names one twice",
        "context of 'age': 'integer', expected one of text, number, flag",
        "reward_range: [1, 0]",
        "delimiter: ';;', expected one character",
        "no encoding 'utf-9'",
        "default: 'z' is not one of the variants",
        "shares are of ['a', 'b']",
    ):
        assert expected in text
    assert len(caught.value.problems) == 12


def test_a_log_without_propensities_can_not_be_mapped() -> None:
    with pytest.raises(MappingError, match="without the probability of each choice can't be evaluated"):
        ColumnMapping.from_dict({"variant": "arm", "reward": "bought"})


def test_propensities_of_a_csv_file_can_be_estimated(tmp_path: Path) -> None:
    rows = "".join(f"{'ab'[n % 2]},{n % 3 // 2},p{n // 2},{n % 90}\n" for n in range(300))
    (tmp_path / "a.csv").write_text("arm,y,who,key\n" + rows)
    mapping = ColumnMapping.from_dict(
        {"variant": "arm", "reward": "y", "person": "who", "shares": "estimate", "id": "key"}
    )
    log = csv_log(tmp_path / "a.csv", mapping, now=0.0)
    assert log.propensities_estimated
    assert log.probabilities is None
    np.testing.assert_allclose(log.propensities, 0.5, atol=0.02)
    assert (log.duplicates, log.future) == (210, 0), "ids come again; without times there is no future"


def test_lists_are_not_read_from_a_csv_file(trial: Path) -> None:
    told = {"probabilities": "p", "eligible": "arm", "context": {"country": "texts"}}
    with pytest.raises(SourceError, match="probabilities, eligible, context of 'country': not read from a CSV file"):
        csv_log(trial, ColumnMapping.from_dict({"variant": "arm", "reward": "bought", **told}))


def test_every_bad_cell_is_named(trial: Path) -> None:
    trial.write_text(TRIAL + "yesterday,eva,green,0,2,ES,old,maybe\n1,2\n", encoding="utf-8")
    mapping = ColumnMapping.from_dict({**FULL, "variants": ["blue", "red"]})
    with pytest.raises(SourceError) as caught:
        csv_log(trial, mapping)
    assert caught.value.problems == (
        "line 5, column 'arm': 'green', expected one of ['blue', 'red']",
        "line 5, column 'bought': '2', expected a number from 0 to 1 (reward_range)",
        "line 5, column 'p': '0', expected a number in (0, 1]",
        "line 5, column 'when': 'yesterday', expected an ISO 8601 time or unix seconds",
        "line 5, column 'age': 'old', expected a finite number or nothing",
        "line 5, column 'new': 'maybe', expected 1, true, yes or 0, false, no, or nothing",
        "line 6: 2 cells, expected 8",
    )


def test_the_first_ten_are_shown_and_all_are_counted(trial: Path) -> None:
    trial.write_text(TRIAL + "1,eva,red,nan,1,,,\n" * 25, encoding="utf-8")
    with pytest.raises(SourceError, match=r"25 problems\n(.*\n)+  … and 15 more") as caught:
        csv_log(trial, ColumnMapping.from_dict(FULL))
    assert len(caught.value.problems) == 10


def test_files_that_are_no_table(trial: Path, tmp_path: Path) -> None:
    mapping = ColumnMapping.from_dict(FULL)
    with pytest.raises(SourceError, match="no such file"):
        csv_log(tmp_path / "absent.csv", mapping)
    with pytest.raises(SourceError, match=r"no column 'price'; the header has: \['when', 'who'"):
        csv_log(trial, ColumnMapping.from_dict({**FULL, "reward": "price"}))
    trial.write_bytes(TRIAL.replace("ES", "España").encode("latin-1"))
    with pytest.raises(SourceError, match="byte 0xf1 is not utf-8"):
        csv_log(trial, mapping)
    log = csv_log(trial, ColumnMapping.from_dict({**FULL, "encoding": "latin-1"}))
    assert log.contexts[1]["country"] == "España"


def test_mark_quotes_and_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_text('\ufeffarm;y\n"a;|:\n😀";1\nb;0\n\n', encoding="utf-8")
    mapping = ColumnMapping(variant="arm", reward="y", shares="equal", delimiter=";", reward_range=RewardRange(0, 1))
    log = csv_log(path, mapping)
    assert [log.actions[i].id for i in log.chosen] == ["a;|:\n😀", "b"]


def obd(folder: Path, rows: list[str]) -> Path:
    folder.mkdir(parents=True)
    (folder / "item_context.csv").write_text(",item_id,item_feature_0,item_feature_1\n0,0,-0.5,x\n1,1,0.5,y\n")
    header = ",timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0\n"
    (folder / "men.csv").write_text(header + "".join(f"{i},{row}\n" for i, row in enumerate(rows)))
    return folder


def test_open_bandit_layout(tmp_path: Path) -> None:
    even = [f"2019-11-24 00:00:0{i}.5+00:00,{i % 2},{1 + i // 2},{i % 2},0.5,u,0.0" for i in range(4)]
    log = open_bandit(obd(tmp_path / "random", even))
    assert log.actions[0].features == {"item_feature_0": -0.5, "item_feature_1": "x"}
    assert log.contexts[0] == {"position": "1", "user_feature_0": "u"}
    assert log.probabilities is not None, "both items drawn at both positions, always with one half"
    assert log.times[1] - log.times[0] == 1.0
    assert len(set(log.persons)) == 4
    moved = [*even, *(row.replace(",0.5,u", f",{p},u") for row, p in zip(even, (0.25, 0.75) * 2, strict=True))]
    assert open_bandit(obd(tmp_path / "bts", moved)).probabilities is None, "the chances changed on the way"
    assert open_bandit(obd(tmp_path / "few", even[:3])).probabilities is None, "an item never drawn at position 2"
    with pytest.raises(SourceError, match=r"line 2, column 'click': '2', expected a number from 0 to 1"):
        open_bandit(obd(tmp_path / "bad", [even[0].replace(",0,0.5,u", ",2,0.5,u")]))
    with pytest.raises(SourceError, match="no such file"):
        open_bandit(tmp_path)


def test_open_bandit_men(shared: Path) -> None:
    random, bts = (open_bandit(shared / "data" / "obd" / "men" / name) for name in ("random", "bts"))
    assert random.probabilities is not None
    assert bts.probabilities is None
    assert (int(random.rewards.sum()), int(bts.rewards.sum())) == (46, 69)
    # the uniform policy on the log of Thompson sampling: a guess from few rounds, and it says so
    found = evaluate(bts, estimators=["snips"])
    uniform = found.row("uniform")
    assert any("10,000 rounds count as 656, one of them as 178" in one.says for one in uniform.findings)
    assert "10,000 rounds tell as much about it as 5.6 rounds" in str(found.row("fixed:5").refusal)


def test_hillstrom_fixed_arms_are_their_own_mean(shared: Path) -> None:
    mapping = ColumnMapping.from_dict(
        {"variant": "segment", "reward": "visit", "shares": "1/3", "context": {"recency": "number", "channel": "text"}}
    )
    log = csv_log(shared / "data" / "hillstrom" / "hillstrom.csv", mapping)
    assert len(log) == 64_000
    found = evaluate(log, estimators=["snips"])
    for place, action in enumerate(log.actions):
        mean = log.rewards[log.chosen == place].mean()
        assert found.row(f"fixed:{action.id}").estimates["snips"].value == pytest.approx(mean, rel=1e-12)
    assert np.isclose(found.row("fixed:Mens E-Mail").estimates["snips"].value, 0.18276, atol=1e-4)


def test_thompson_sampling_judged_from_the_random_log(shared: Path) -> None:
    """The whole way from the files, with the reference's own distribution of the policy."""

    class Production:
        def __init__(self) -> None:
            with np.load(shared / "reference" / "obd_men_random_to_bts" / "inputs.npz") as stored:
                self.by_position = stored["action_dist_by_position"].astype(np.float64)

        def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
            return self.by_position[[int(action.id) for action in actions], int(str(context["position"])) - 1]

    log = open_bandit(shared / "data" / "obd" / "men" / "random")
    row = evaluate(log, [Candidate("bts", Production())], estimators=["ips", "snips"]).row("bts")
    assert row.refusal is None
    assert row.estimates["ips"].value == pytest.approx(0.004533560026134372, rel=1e-5)
    assert row.estimates["snips"].value == pytest.approx(0.004604232164946356, rel=1e-5)
    assert row.estimates["snips"].ess == pytest.approx(2467.4, abs=0.5)
