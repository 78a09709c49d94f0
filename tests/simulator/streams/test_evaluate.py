"""A log in Parquet, read in small pieces, is judged as the same log in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from policies.types import Action, Features, Pmf
from simulator import By, Candidate, ColumnMapping, Evaluation, EvaluationError, LogError, evaluate
from simulator.asked import Asked
from simulator.engines.local import Inline
from simulator.judging import judged_row, part_of
from simulator.models.linear import CrossFitted
from simulator.sources.frames import parquet_log
from simulator.sources.parquet import ParquetError
from simulator.streams import evaluate_parquet, pieces
from simulator.streams.evaluate import SAMPLE
from simulator.streams.judge import FOLDS, fold_of

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

MAPPING: dict[str, Any] = {
    "variant": "arm",
    "reward": "click",
    "probabilities": "chances",
    "time": "at",
    "person": "who",
    "context": {"lang": "text", "age": "number"},
    "variants": ["a", "b", "c"],
    "default": "a",
    "slot": "banner",
}


def mapping(**changes: object) -> ColumnMapping:
    return ColumnMapping.from_dict({key: value for key, value in {**MAPPING, **changes}.items() if value is not None})


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small log has several pieces of several parts."""
    monkeypatch.setattr(pieces, "PIECE", 500)
    monkeypatch.setattr("simulator.streams.evaluate.BATCH", 170)


WriteLog = Callable[..., Path]


@pytest.fixture
def write_log(tmp_path: Path) -> WriteLog:
    """A factory: n rounds of 400 persons; clicks depend on the variant and on `lang`."""

    def write(n: int = 1600, *, name: str = "log.parquet", start: int = 0, **changes: object) -> Path:
        rng = np.random.default_rng(3 + start)
        lang = rng.integers(2, size=n)
        chances = np.where(lang[:, None] == 0, [[0.5, 0.3, 0.2]], [[0.2, 0.2, 0.6]])
        chosen = (rng.random(n)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
        click = np.array([[0.2, 0.5, 0.3], [0.4, 0.1, 0.3]])[lang, chosen]
        columns: dict[str, object] = {
            "arm": np.array(["a", "b", "c"])[chosen],
            "click": (rng.random(n) < click).astype(float),
            "chances": list(chances),
            "chance": chances[np.arange(n), chosen],
            "at": (start + np.arange(n)) * 60.0,
            "who": [f"u{number}" for number in rng.integers(400, size=n)],
            "lang": np.array(["es", "en"])[lang],
            "age": rng.integers(18, 80, size=n).astype(float),
        }
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        parquet.write_table(arrow.table({**columns, **changes}), path, row_group_size=300)
        return path

    return write


@dataclass(frozen=True)
class Speaks:
    """Variant b for Spanish speakers, a for the others; with a tenth of exploration."""

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        wanted = "b" if context["lang"] == "es" else "a"
        return np.array([0.9 * (action.id == wanted) + 0.1 / len(actions) for action in actions])


def alike(found: object, expected: object, where: str = "") -> None:
    """To 1e-9, whatever they hold."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        assert list(found) == list(expected), where
        for key, value in expected.items():
            alike(found[key], value, f"{where}.{key}")
    elif isinstance(expected, list | tuple):
        assert isinstance(found, list | tuple)
        assert len(found) == len(expected), where
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            alike(one, other, f"{where}[{place}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), where
    else:
        assert found == expected, where


def told(evaluation: Evaluation) -> dict[str, Any]:
    """What both say. The curve of the weights' tail is only drawn of rounds in memory, and notes are their own."""
    document = evaluation.to_dict()
    rows = [*document["rows"], *(row for group in document["groups"] for row in group["rows"])]  # type: ignore[misc, attr-defined]
    for row in rows:
        del row["tail"]
    return {key: value for key, value in document.items() if key not in ("notes", "provenance")}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="all probabilities known"),
        pytest.param({"probabilities": None, "propensity": "chance"}, id="propensities only"),
        pytest.param({"time": None, "person": None}, id="no times and nobody known"),
    ],
)
def test_the_same_evaluation_as_in_memory(write_log: WriteLog, changes: dict[str, object]) -> None:
    """Rows, groups, comparisons, verdict, findings, period; with a learner, a snapshot, and a policy in Python."""
    path, how = write_log(), mapping(**changes)
    policies = [
        "squarecb",
        "rules:lang == 'es' -> b; -> a",
        Candidate("speaks", Speaks(), judged_after=900.0 if "time" in changes else 54_000.0),
    ]
    options: dict[str, Any] = {"estimators": ("ips", "snips"), "confidence": 0.9, "lang": "es"}
    found = evaluate_parquet(path, how, policies, by="lang", cores=1, **options)
    log = parquet_log(path, how)
    expected = evaluate(log, policies, by=By("lang", lambda context: context.get("lang")), **options)
    assert found.period.n < 1600
    assert [group.refusal for group in found.groups] == [None, None]
    alike(told(found), told(expected))
    assert set(found.notes) <= set(expected.notes)


def test_what_is_forced_is_marked_as_in_memory(write_log: WriteLog) -> None:
    """Variant c was never possible, and half of what the policy would do is c."""
    arms = np.where(np.arange(1600) % 5 < 3, "a", "b")
    path, how = write_log(arm=arms, chances=[[0.6, 0.4, 0.0]] * 1600), mapping()
    policies, options = ["weighted:a=1,c=1"], {"estimators": ["ips"], "force": True}
    found = evaluate_parquet(path, how, policies, cores=1, **options)  # type: ignore[arg-type]
    assert found.row("weighted:a=1,c=1").forced
    alike(told(found), told(evaluate(parquet_log(path, how), policies, **options)))  # type: ignore[arg-type]


def test_groups_of_numbers_and_those_too_small(write_log: WriteLog) -> None:
    path = write_log()
    by_age = evaluate_parquet(path, mapping(), by="age", estimators=["snips"], cores=1)
    expected = evaluate(
        parquet_log(path, mapping()), by=By("age", lambda context: context.get("age")), estimators=["snips"]
    )
    alike(told(by_age)["groups"], told(expected)["groups"])
    assert len(by_age.groups) == 4
    lang = np.where(np.arange(1600) < 80, "fr", np.where(np.arange(1600) % 2 == 0, "es", "en"))
    rare = evaluate_parquet(write_log(lang=lang), mapping(), by="lang", estimators=["snips"], cores=1)
    assert [(group.name, group.n) for group in rare.groups][2] == ("(other: 1 value)", 80)
    assert rare.groups[2].refusal == "too few rounds: 80; at least 200 are needed"


def test_an_estimator_named_twice_and_another_language_as_in_memory(write_log: WriteLog) -> None:
    path = write_log(400, click=np.r_[np.zeros(300), np.ones(100)])
    options: dict[str, Any] = {"estimators": ["ips", "ips"], "lang": "es", "force": True}
    settings = mapping(probabilities=None, propensity="chance", variants=["a", "b", "c"])
    found = evaluate_parquet(path, settings, cores=1, **options)
    expected = evaluate(parquet_log(path, settings), **options)
    assert found.estimators == expected.estimators == ("ips",)
    support = "Solo se conoce la probabilidad de lo elegido: el soporte se estima a partir de los pesos."
    assert support in found.notes
    assert support in expected.notes


def test_estimates_with_a_model_are_those_of_the_same_model_in_memory(write_log: WriteLog) -> None:
    """Folds are dealt by the persons' hashes, so that every piece knows them."""
    path, names = write_log(), ("dm", "dr", "sndr")
    found = evaluate_parquet(path, mapping(), by="lang", estimators=names, cores=1, seed=4)
    log = parquet_log(path, mapping())
    folds = fold_of(log.persons, 4)
    q = CrossFitted.fit(log, folds, folds=FOLDS).predict(log, folds)
    spoken = np.array([context["lang"] for context in log.contexts])
    parts = [(found.rows, np.ones(1600, dtype=bool)), *((group.rows, spoken == group.name) for group in found.groups)]
    targets = {"uniform": np.full((1600, 3), 1 / 3), "fixed:b": np.tile([0.0, 1.0, 0.0], (1600, 1))}
    assert len(parts) == 3
    asked = Asked(names, "dr", 0.95)
    for rows, members in parts:
        part = part_of(log, q, members, asked)
        by_name = {row.name: row for row in rows}
        for name, target in targets.items():
            expected = judged_row(part, name, "fixed", target, asked)
            for estimator in names:
                one, other = by_name[name].estimates[estimator], expected.estimates[estimator]
                assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), rel=1e-9)


def test_a_folder_is_one_log(write_log: WriteLog) -> None:
    one = write_log(1600)
    table = parquet.read_table(one)
    folder = one.parent / "days"
    for day, (start, rows) in enumerate(((0, 700), (700, 600), (1300, 300))):
        (folder / f"day={day}").mkdir(parents=True)
        parquet.write_table(table.slice(start, rows), folder / f"day={day}" / "part.parquet")
    whole, parts = (evaluate_parquet(path, mapping(), ["squarecb"], cores=1) for path in (one, folder))
    assert parts.log.name == "days"
    alike(told(parts)["rows"], told(whole)["rows"])


def test_a_sample_of_the_persons_fits_the_model(write_log: WriteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """DR stays right whatever the model; and what was sampled is told."""
    path = write_log()
    whole = evaluate_parquet(path, mapping(), cores=1)
    monkeypatch.setattr("simulator.streams.evaluate.SAMPLE", 400)
    monkeypatch.setattr("simulator.streams.evaluate.LEAST_PERSONS", 50)
    found = evaluate_parquet(path, mapping(), cores=1)
    [note] = [note for note in found.notes if "sample of its persons" in note]
    assert " of the 1,600 rounds" in note
    assert not any("sample" in note for note in whole.notes)
    for row in found.rows[1:]:
        other = whole.row(row.name).estimates["dr"]
        assert row.estimates["dr"].value != other.value
        assert row.estimates["dr"].value == pytest.approx(other.value, abs=other.standard_error)
    assert SAMPLE > 1600


def test_the_number_of_processes_changes_no_bit(write_log: WriteLog) -> None:
    path, policies = write_log(), ["squarecb", "epsilon:epsilon=0.2"]
    alone, together = (evaluate_parquet(path, mapping(), policies, by="lang", cores=cores) for cores in (1, 2))
    assert alone.to_dict() == together.to_dict()


class Watched(Inline):
    """Keeps the names of the tasks."""

    def __init__(self) -> None:
        self.tasks: list[str] = []

    def map(self, task: Any, pieces: Any) -> Any:
        self.tasks.append(type(task).__name__)
        return super().map(task, pieces)


def test_an_engine_of_the_caller_s_own(write_log: WriteLog) -> None:
    engine = Watched()
    evaluate_parquet(write_log(), mapping(), ["epsilon"], engine=engine)
    assert engine.tasks == ["Look", "Sample", "Train", "Judge"]


def test_a_policy_that_can_not_travel_is_asked_here(write_log: WriteLog) -> None:
    """A closure is in no other process, so that no engine is asked to judge it; the answer is there all the same."""
    asked: list[str] = []

    class Watches:
        def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
            asked.append(str(context["lang"]))
            return np.full(len(actions), 1 / len(actions))

    engine = Watched()
    found = evaluate_parquet(write_log(), mapping(), [Candidate("watches", Watches())], engine=engine)
    assert engine.tasks == ["Look", "Sample"]
    assert len(asked) == 1600
    assert found.row("watches").estimates["ips"].value == pytest.approx(found.row("uniform").estimates["ips"].value)


def test_times_that_go_back(write_log: WriteLog) -> None:
    """Where something is trained or a snapshot is judged; else the order does not matter."""
    at = np.arange(1600) * 60.0
    path = write_log(at=np.r_[at[800:], at[:800]])
    with pytest.raises(LogError, match=r"times go back near row .* in the order of column 'at'"):
        evaluate_parquet(path, mapping(), ["squarecb"], cores=1)
    options: dict[str, Any] = {"estimators": ["ips"], "cores": 1}
    found = evaluate_parquet(path, mapping(), **options)
    assert found.row("uniform").n == 1600
    with pytest.raises(LogError, match="all 1600 rounds have the same time"):
        evaluate_parquet(write_log(at=np.zeros(1600)), mapping(), ["squarecb"], cores=1)


def test_mistakes_get_a_sentence(write_log: WriteLog, tmp_path: Path) -> None:
    path = write_log()
    for estimator in ("clipped_ips", "switch_dr", "dros"):
        with pytest.raises(EvaluationError, match=f"{estimator}.*need all rounds at once"):
            evaluate_parquet(path, mapping(), estimators=[estimator])
    with pytest.raises(EvaluationError, match="estimator 'mips2': expected one of"):
        evaluate_parquet(path, mapping(), estimators=["mips2"])
    with pytest.raises(EvaluationError, match="propensities needs all rounds at once"):
        evaluate_parquet(path, mapping(probabilities=None, shares="estimate"))
    with pytest.raises(EvaluationError, match=r"by 'city': expected one of the context columns .*age, lang"):
        evaluate_parquet(path, mapping(), by="city")
    with pytest.raises(EvaluationError, match="language 'fr'"):
        evaluate_parquet(path, mapping(), lang="fr")
    with pytest.raises(ParquetError, match="no column 'gone'; there are: "):
        evaluate_parquet(path, mapping(reward="gone"))
    with pytest.raises(ParquetError, match="nothing: no such file"):
        evaluate_parquet(tmp_path / "nothing", mapping())
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParquetError, match="empty: no row to read"):
        evaluate_parquet(tmp_path / "empty", mapping())
    with pytest.raises(EvaluationError, match="no round of this log has a context key 'city'; known: "):
        evaluate_parquet(path, mapping(), ["rules:city == 'x' -> a; -> b"], cores=1)
    arms = np.array(["a", "b"])[np.arange(1600) % 2].tolist()
    arms[1100] = "z"
    with pytest.raises(LogError, match=r"log.parquet, from row 940 of the log': column 'arm'.*'z'"):
        evaluate_parquet(write_log(arm=arms), mapping(), cores=1)
    one = mapping(variants=None, probabilities=None, shares="equal", default=None)
    with pytest.raises(EvaluationError, match="never had more than one variant to choose from"):
        evaluate_parquet(write_log(arm=["a"] * 1600), one, cores=1)
    with pytest.raises(EvaluationError, match="in this period have the reward 0"):
        evaluate_parquet(write_log(click=np.zeros(1600)), mapping(), estimators=["ips"], cores=1)
    with pytest.raises(EvaluationError, match="are of one person"):
        evaluate_parquet(write_log(who=["u"] * 1600), mapping(), estimators=["ips"], cores=1)


def test_progress_is_told(write_log: WriteLog) -> None:
    heard: list[tuple[str, float]] = []
    evaluate_parquet(write_log(), mapping(), ["epsilon"], cores=1, progress=lambda *what: heard.append(what))
    done = {what for what, share in heard if share == 1.0}
    assert done >= {"looking at the log", "taking a sample", "training epsilon", "fitting the reward model", "judging"}
