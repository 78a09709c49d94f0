import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from policies.registry import PolicyError, PolicySpec, create
from policies.types import Action, Features, Pmf, RewardRange
from simulator import Candidate, EvaluationError, Log, LogError, Round, evaluate
from simulator.worlds import newsletter, true_value, with_choices

MakeLog = Callable[..., Log]


@dataclass(frozen=True)
class Speaks:
    """Variant b for Spanish speakers, a for the others; with `share` of exploration."""

    share: float = 0.1

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        wanted = "b" if context["lang"] == "es" else "a"
        return np.array([(1 - self.share) * (a.id == wanted) + self.share / len(actions) for a in actions])


def test_yardsticks_always_stand_beside(make_log: MakeLog) -> None:
    log = make_log()
    found = evaluate(log)
    assert [(row.name, row.role) for row in found.rows] == [
        ("logged", "logged"),
        ("uniform", "uniform"),
        ("fixed:a", "fixed"),
        ("fixed:b", "fixed"),
        ("fixed:c", "fixed"),
    ]
    assert found.row("logged").estimates["mean"].value == pytest.approx(log.rewards.mean())
    for row in found.rows[1:]:
        assert list(row.estimates) == ["ips", "snips", "dm", "dr"]
    assert found.headline == "dr"
    assert found.period.n == 600
    with pytest.raises(KeyError, match="judged were"):
        found.row("nobody")


def test_the_truth_lies_within(make_log: MakeLog) -> None:
    found = evaluate(make_log(8000), [Candidate("speaks", Speaks(0.0)), "weighted:a=1,b=1"])
    truths = {"uniform": 0.8 / 3, "fixed:a": 0.3, "fixed:b": 0.3, "fixed:c": 0.3, "speaks": 0.45}
    truths["uniform"] = (0.5 * (0.2 + 0.5 + 0.3) + 0.5 * (0.4 + 0.1 + 0.3)) / 3
    truths["weighted:a=1,b=1"] = 0.3
    for name, truth in truths.items():
        for estimate in found.row(name).estimates.values():
            assert estimate.value == pytest.approx(truth, abs=0.04), (name, estimate.estimator)
    assert found.best().name == "speaks"
    assert found.verdict.startswith("'speaks' earns most: 0.4")


def test_noise_sets_no_policy_apart(make_log: MakeLog) -> None:
    """Coins for rewards, 200 logs: all policies are equal, and at most 5 % of the verdicts may say otherwise."""
    wrong = 0
    for seed in range(200):
        coins = np.random.default_rng(seed).integers(2, size=600).astype(float)
        found = evaluate(make_log(seed=1000 + seed, rewards=coins), estimators=["snips"])
        wrong += not found.verdict.startswith("The log can't tell which of these 5 earns most")
    assert wrong <= 10


def test_a_learner_is_trained_on_the_first_half_and_everyone_judged_on_the_second(make_log: MakeLog) -> None:
    log = make_log()
    told: list[str] = []
    found = evaluate(log, ["epsilon:epsilon=0.1"], progress=lambda what, done: told.append(what))
    assert found.trained is not None
    assert (found.trained.n, found.period.n) == (300, 300)
    assert found.trained.end < found.period.start
    assert {row.n for row in found.rows} == {300}
    assert found.row("logged").estimates["mean"].value == pytest.approx(log.rewards[300:].mean())
    assert any("trained on" in note for note in found.notes)
    assert {"training epsilon:epsilon=0.1", "judging epsilon:epsilon=0.1", "fitting the reward model"} <= set(told)

    # what happened in the second half must not move the learner: the same weights, whatever was earned there
    other = replace(log, rewards=np.r_[log.rewards[:300], 1.0 - log.rewards[300:]])
    again = evaluate(other, ["epsilon:epsilon=0.1"]).row("epsilon:epsilon=0.1").diagnostics
    before = found.row("epsilon:epsilon=0.1").diagnostics
    assert again is not None
    assert before is not None
    assert (again.ess, again.mean_weight) == (before.ess, before.mean_weight)


def test_a_snapshot_is_judged_only_on_what_is_later(make_log: MakeLog) -> None:
    log = make_log()
    found = evaluate(log, [Candidate("snap", Speaks(), judged_after=float(log.times[399]))])
    assert found.period.n == 200
    assert found.period.start == log.times[400], "strictly later"
    assert {row.n for row in found.rows} == {200}
    mixed = evaluate(log, [Candidate("snap", Speaks(), judged_after=float(log.times[99])), "epsilon"])
    assert mixed.period.n == 300, "the latest moment rules"
    late = evaluate(log, [Candidate("snap", Speaks(), judged_after=float(log.times[-20]), note="of today")])
    assert late.period.n == 600, "one late snapshot does not narrow the others"
    assert late.row("snap").refusal == (
        "only 19 of 600 rounds are later than what it was trained on; at least 10 % are needed"
    )
    assert late.row("snap").note == "of today"


def test_one_refusal_does_not_hide_the_rest(make_log: MakeLog) -> None:
    eligible = np.ones((600, 3), dtype=bool)
    eligible[:540, 2] = False
    rng = np.random.default_rng(0)
    probabilities = eligible / eligible.sum(axis=1, keepdims=True)
    chosen = np.array([rng.choice(3, p=row) for row in probabilities])
    log = make_log(
        eligible=eligible,
        chosen=chosen,
        probabilities=probabilities,
        propensities=probabilities[np.arange(600), chosen],
        default=None,
    )
    found = evaluate(log, ["fixed:c"])
    assert found.row("fixed:c").note == "eligible in 10% of the rounds; elsewhere all variants alike"
    early = evaluate(log[:540], ["fixed:c"])
    assert early.row("fixed:c").refusal == "'c' could not be chosen in any round of the judged period"
    assert early.row("fixed:a").refusal is None
    spanish = evaluate(log[:540], ["fixed:c"], lang="es").row("fixed:c").refusal
    assert spanish == "'c' no se pudo elegir en ninguna decisión del periodo juzgado"


def test_estimators_that_the_interval_leaves_out_are_named(make_log: MakeLog) -> None:
    log = make_log(60)

    def notes(lang: str = "en", **asked: object) -> list[str]:
        found = evaluate(log, lang=lang, force=True, **asked)  # type: ignore[arg-type]
        return [note for note in found.notes if note.startswith(("Left out", "Se omiten"))]

    assert notes() == []
    assert notes(interval="likelihood") == ["Left out, since they have no likelihood interval: dm, dr."]
    assert notes(interval="likelihood", estimators=["best"]) == notes(interval="likelihood")
    assert notes("es", model="none") == ["Se omiten, por necesitar un modelo de las recompensas: dm, dr."]
    assert notes(interval="anytime", estimators=["ips"]) == []


def test_what_was_judged_on_is_told_in_the_language_asked_for(make_log: MakeLog) -> None:
    late = Candidate("late", Speaks(), judged_after=590 * 60.0)
    found = evaluate(make_log(known=False), [late, Candidate("early", Speaks(), judged_after=60.0)], lang="es")
    assert found.row("late").refusal == (
        "solo 9 de 600 decisiones son posteriores a aquellas con que se entrenó; hace falta el 10 %"
    )
    assert found.notes[:2] == (
        "Todas las filas se juzgan en el mismo periodo: "
        "de 1970-01-01T00:02:00Z a 1970-01-01T09:59:00Z (598 decisiones).",
        "Solo se conoce la probabilidad de lo elegido: el soporte se estima a partir de los pesos.",
    )


def test_intervals_stay_where_a_mean_reward_can_be(make_log: MakeLog) -> None:
    """Nearly all click, and the weights differ: uncut, the interval of the uniform policy would end above 1."""
    log = make_log(rewards=(np.arange(600) % 80 != 0).astype(float))
    found = evaluate(log, estimators=["ips"], confidence=0.9999)
    assert found.row("uniform").estimates["ips"].high == 1.0
    for name, estimator in (("logged", "mean"), ("uniform", "ips")):
        estimate = found.row(name).estimates[estimator]
        assert 0.0 <= estimate.low < estimate.value < estimate.high <= 1.0, name


@pytest.mark.parametrize("known", [True, False])
def test_what_does_as_was_done_has_the_interval_of_what_was_earned(make_log: MakeLog, known: bool) -> None:
    class Same:
        def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
            return np.array([0.5, 0.3, 0.2] if context["lang"] == "es" else [0.2, 0.2, 0.6])

    rewards = (np.arange(600) % 40 == 0).astype(float)  # rare ones, of which the interval is skewed
    log = make_log(known=known, rewards=rewards)
    found = evaluate(log, [Candidate("same", Same())], estimators=("ips", "snips", "cressie_read"))
    earned = found.row("logged").estimates["mean"]
    assert earned.high - earned.value > 1.3 * (earned.value - earned.low)
    for one in found.row("same").estimates.values():
        assert (one.value, one.low, one.high) == pytest.approx((earned.value, earned.low, earned.high))


def test_the_caller_s_policy_is_asked_on_the_logged_sets_only(make_log: MakeLog) -> None:
    asked: list[tuple[str, ...]] = []

    class Watches:
        def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
            asked.append(tuple(action.id for action in actions))
            return np.full(len(actions), 1 / len(actions))

    eligible = np.ones((600, 3), dtype=bool)
    eligible[::2, 1] = False
    log = make_log(known=False, eligible=eligible, chosen=np.zeros(600, dtype=int), propensities=np.full(600, 0.5))
    evaluate(log, [Candidate("watches", Watches())])
    assert asked == [("a", "c"), ("a", "b", "c")] * 300


@pytest.mark.parametrize("pmf", [[0.5, 0.6, 0.2], [1.0], [-0.1, 0.6, 0.5], [np.nan, 0.5, 0.5]])
def test_what_is_no_distribution_is_named(make_log: MakeLog, pmf: list[float]) -> None:
    class Broken:
        def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
            return np.array(pmf)

    with pytest.raises(EvaluationError, match="policy 'broken', round 0: expected"):
        evaluate(make_log(), [Candidate("broken", Broken())])


def test_mistakes_get_a_sentence(make_log: MakeLog) -> None:
    log = make_log()
    with pytest.raises(EvaluationError, match=r"no variant 'z' in this log; it has: \['a', 'b', 'c'\]"):
        evaluate(log, ["fixed:z"])
    with pytest.raises(EvaluationError, match="no variant 'z'"):
        evaluate(log, ["weighted:a=1,z=2"])
    with pytest.raises(EvaluationError, match="no variant 'z'"):
        evaluate(log, ["rules:-> a 1, z 2"])
    with pytest.raises(EvaluationError, match="no round of this log has a context key 'age'; known: "):
        evaluate(log, ["rules:age > 3 -> a; -> b"])
    with pytest.raises(PolicyError, match="did you mean 'epsilon'"):
        evaluate(log, ["epsilonn"])
    with pytest.raises(EvaluationError, match="names no default variant"):
        evaluate(replace(log, default=None), ["fixed"])
    with pytest.raises(EvaluationError, match=r"estimator 'drr': expected one of ips, snips, .*, best$"):
        evaluate(log, estimators=["drr"])
    with pytest.raises(EvaluationError, match="all 600 rounds of log 'log' in this period have the reward 0"):
        evaluate(replace(log, rewards=np.zeros(600)))
    with pytest.raises(EvaluationError, match="are of one person"):
        evaluate(make_log(persons=1))
    with pytest.raises(EvaluationError, match="two policies are named 'uniform'"):
        evaluate(log, [Candidate("uniform", Speaks())])
    alone = Log.from_rounds(Round({}, (Action("a"),), "a", 1.0, i % 2, float(i), [1.0]) for i in range(100))
    with pytest.raises(EvaluationError, match=r"never had more than one variant to choose from \(\['a'\]\)"):
        evaluate(alone)
    with pytest.raises(LogError, match="all 600 rounds have the same time"):
        evaluate(replace(log, times=np.zeros(600)), ["epsilon"])


def test_what_was_asked_twice_stands_once(make_log: MakeLog) -> None:
    found = evaluate(make_log(), ["uniform", "fixed:a", "fixed", PolicySpec("uniform")])
    assert [row.name for row in found.rows] == ["logged", "uniform", "fixed:a", "fixed:b", "fixed:c"]


def test_json_is_plain_and_finite(make_log: MakeLog) -> None:
    found = evaluate(make_log(known=False), [Candidate("late", Speaks(), judged_after=1e9)], estimators=["snips"])
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["headline"] == "snips"
    assert plain["period"]["start"] == "1970-01-01T00:00:00Z"
    assert plain["rows"][1]["estimates"]["snips"]["value"] == found.row("uniform").estimates["snips"].value
    assert plain["rows"][-1]["refusal"].startswith("only 0 of 600")


def test_estimates_agree_with_a_world_whose_truth_is_known() -> None:
    """A learner judged on the second half earns what the world says it earns there; visits of one person repeat."""
    world, rng = newsletter(), np.random.default_rng(3)
    subjects, hours = world.actions("subject_line"), world.actions("send_hour")
    rounds = []
    for time in range(4000):
        visitor = world.visitor(rng)
        first, then = subjects[rng.integers(4)].id, hours[rng.integers(6)].id
        click = rng.random() < world.expected(visitor.context, {"subject_line": first, "send_hour": then})
        context = with_choices(visitor.context, {"subject_line": first})
        rounds.append(Round(context, hours, then, 1 / 6, float(click), float(time), [1 / 6] * 6, visitor.person))
    log = Log.from_rounds(rounds, slot="send_hour", default="11")
    assert log.summary().persons < 3000, "people come back"
    found = evaluate(log, ["squarecb"])
    early, late = log.split(0.5)
    learner = create(PolicySpec("squarecb"), default="11", reward_range=RewardRange())
    learner.learn(early.examples())
    truths = {"squarecb": true_value(world, late, learner)}
    truths |= {
        name: true_value(world, late, create(PolicySpec.parse(name), default="11", reward_range=RewardRange()))
        for name in ("uniform", "fixed:08", "fixed:14", "fixed:22")
    }
    for name, truth in truths.items():
        estimate = found.row(name).estimates["dr"]
        assert abs(estimate.value - truth) < 3.5 * estimate.standard_error, name
    assert truths["squarecb"] > 1.2 * truths["uniform"]
    assert found.row("squarecb").gain.low > 0.0


def test_learners_in_processes_of_their_own_say_the_same(make_log: MakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.targets.LEAST_PARALLEL", 1_200)
    policies, heard = ["squarecb", "epsilon:epsilon=0.1"], list[str]()
    log = make_log()
    together = evaluate(log, policies, cores=2, progress=lambda what, done: heard.append(what))
    assert "training and judging 2 learners" in heard
    heard.clear()
    alone = evaluate(log, policies, cores=1, progress=lambda what, done: heard.append(what))
    assert "training squarecb" in heard
    assert together.to_dict() == alone.to_dict()
    monkeypatch.setattr("simulator.targets.LEAST_PARALLEL", 1_201)
    heard.clear()
    evaluate(log, policies, cores=2, progress=lambda what, done: heard.append(what))
    assert "training squarecb" in heard, "too few rounds to pay"
