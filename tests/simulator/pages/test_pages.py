"""Pages: exact over enumerated draws of a small world, whatever the model; and beside the slots judged alone."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from policies.registry import PolicyError
from policies.types import Action, Features, Pmf
from simulator import Candidate, EvaluationError, Log, LogError, Page, PageCandidate, Round, evaluate, evaluate_page
from simulator.asked import Asked
from simulator.estimators import Evidence, ips, snips
from simulator.judging import part_of
from simulator.pages.evaluate import diagnose_page
from simulator.pages.page import page_evidence, path_of
from simulator.pages.policies import slot_specs
from simulator.worlds import Variant, World, with_choices

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

SMALL = World(
    name="small",
    slots={
        "top": (Variant("a", ""), Variant("b", "")),
        "mid": (Variant("c", ""), Variant("d", ""), Variant("e", "")),
        "end": (Variant("f", ""), Variant("g", "")),
    },
    defaults={"top": "a", "mid": "c", "end": "f"},
    chances={"vip": {True: 0.3, False: 0.7}},
    lasting=(),
    regulars=0,
    comes_back=0.0,
    base=-0.5,
    effects={("vip", True, "top", "b"): 1.5, ("", "", "mid", "d"): 0.8, ("vip", False, "end", "g"): -1.2},
)


def logging(slot: str, context: Features, actions: Sequence[Action]) -> Pmf:
    """What made the log: it looks at the visitor and at every earlier choice."""
    return _weighted(actions, 1.0 + bool(context["vip"]) + 2.0 * (context.get("slot.top") == "b"))


def wanted(slot: str, context: Features, actions: Sequence[Action]) -> Pmf:
    """What is judged: it looks at them otherwise."""
    return _weighted(actions, 0.5 + 3.0 * (context.get("slot.mid") == "d") + (context.get("slot.top") == "a"))


def _weighted(actions: Sequence[Action], first: float) -> Pmf:
    total = first + len(actions) - 1.0
    return np.array([first / total] + [1.0 / total] * (len(actions) - 1))


class Wanted:
    """`wanted` as a policy of one slot."""

    def __init__(self, slot: str) -> None:
        self.slot = slot

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        return wanted(self.slot, context, actions)


def outcomes() -> Iterator[tuple[float, Features, dict[str, str], float]]:
    """Everything that can happen in the small world under `logging`: probability, context, choices, reward."""
    for context, chance in SMALL.contexts():
        for choices in SMALL.combinations():
            p, before = chance, dict[str, str]()
            for slot, variant in choices.items():
                actions = SMALL.actions(slot)
                pmf = logging(slot, with_choices(context, before), actions)
                p *= float(pmf[[one.id for one in actions].index(variant)])
                before[slot] = variant
            click = SMALL.expected(context, choices)
            yield p * click, context, choices, 1.0
            yield p * (1.0 - click), context, choices, 0.0


def page_of(rows: Sequence[tuple[Features, dict[str, str], float]], *, known: bool = True) -> Page:
    """The page that `logging` would have logged of these rounds."""
    logs = []
    for place, slot in enumerate(SMALL.slots):
        actions, rounds = SMALL.actions(slot), []
        for row, (context, choices, reward) in enumerate(rows):
            seen = with_choices(context, dict(list(choices.items())[:place]))
            pmf = logging(slot, seen, actions)
            propensity = float(pmf[[one.id for one in actions].index(choices[slot])])
            rounds.append(
                Round(seen, actions, choices[slot], propensity, reward, 60.0 * row, pmf if known else None, row)
            )
        logs.append(Log.from_rounds(rounds, slot=slot, default=SMALL.defaults[slot], name="small"))
    return Page(tuple(logs))


def drawn(n: int, *, seed: int = 0) -> Page:
    """n rounds of the small world."""
    rng = np.random.default_rng(seed)
    chances, *columns = zip(*outcomes(), strict=True)
    rows = list(zip(*columns, strict=True))
    return page_of([rows[i] for i in rng.choice(len(rows), size=n, p=np.array(chances) / sum(chances))])


def targets_of(page: Page) -> list[Floats]:
    return [np.array([wanted(log.slot, context, log.actions) for context in log.contexts]) for log in page.slots]


def evidence_of(page: Page, targets: Sequence[Floats | None], q: Sequence[Floats]) -> Evidence:
    part = part_of(page.outline, q[0], np.ones(len(page), dtype=bool), Asked((), "", 0.95))
    return page_evidence(page, part, path_of(page, targets), targets, q)


@pytest.mark.parametrize("known", [True, False])
def test_weights_and_corrections_are_unbiased_over_all_draws_whatever_the_model(known: bool) -> None:
    chances, *columns = zip(*outcomes(), strict=True)
    page = page_of(list(zip(*columns, strict=True)), known=known)
    chance = np.array(chances)
    assert chance.sum() == pytest.approx(1.0)
    truth = SMALL.value(wanted)
    targets = targets_of(page)
    rng = np.random.default_rng(1)
    for spread in (0.0, 1.0, 50.0):  # of the model: none, one, and a wild one
        q = [spread * rng.normal(size=log.eligible.shape)[_first_of_kind(log)] for log in page.slots]
        found = evidence_of(page, targets, q)
        assert chance @ (found.weights * found.rewards) == pytest.approx(truth, rel=1e-12)
        scores = found.expected + found.weights * (found.rewards - found.predicted)
        assert chance @ scores == pytest.approx(truth, rel=1e-9), spread
    as_logged = [targets[0], None, targets[2]]
    scores_of = evidence_of(page, as_logged, q)
    mixed = SMALL.value(lambda slot, x, a: logging(slot, x, a) if slot == "mid" else wanted(slot, x, a))
    scores = scores_of.expected + scores_of.weights * (scores_of.rewards - scores_of.predicted)
    assert chance @ scores == pytest.approx(mixed, rel=1e-9)
    assert mixed != pytest.approx(truth, rel=1e-3)


def _first_of_kind(log: Log) -> list[int]:
    """A model may not know the reward, nor what comes later: rounds of one context have one prediction."""
    first: dict[tuple[object, ...], int] = {}
    return [first.setdefault(tuple(sorted(context.items())), row) for row, context in enumerate(log.contexts)]


def test_with_the_true_rewards_as_its_model_no_noise_of_clicks_is_left() -> None:
    page = drawn(400)
    targets = targets_of(page)

    def ahead(context: Features, choices: dict[str, str]) -> float:
        left = [slot for slot in SMALL.slots if slot not in choices]
        if not left:
            return SMALL.expected(context, choices)
        actions = SMALL.actions(left[0])
        pmf = wanted(left[0], with_choices(context, choices), actions)
        return sum(float(p) * ahead(context, {**choices, left[0]: a.id}) for p, a in zip(pmf, actions, strict=True))

    q = []
    for log in page.slots:
        rows = []
        for context in log.contexts:
            before = {slot: str(context[f"slot.{slot}"]) for slot in SMALL.slots if f"slot.{slot}" in context}
            rows.append([ahead({"vip": context["vip"]}, {**before, log.slot: action.id}) for action in log.actions])
        q.append(np.array(rows))
    found = evidence_of(page, targets, q)
    truths = {vip: ahead({"vip": vip}, {}) for vip in (True, False)}
    np.testing.assert_allclose(found.expected, [truths[bool(x["vip"])] for x in page.slots[0].contexts], rtol=1e-12)


def test_the_score_is_the_formula_round_by_round() -> None:
    page = drawn(60)
    targets = targets_of(page)
    rng = np.random.default_rng(2)
    q = [rng.normal(size=log.eligible.shape) for log in page.slots]
    found = evidence_of(page, targets, q)
    scores = found.expected + found.weights * (found.rewards - found.predicted)
    for row in range(60):
        score, weight, before = 0.0, 1.0, 0.0
        for log, target, model in zip(page.slots, targets, q, strict=True):
            chosen = log.chosen[row]
            score += weight * (float(target[row] @ model[row]) - before)
            before = model[row, chosen]
            weight *= target[row, chosen] / log.propensities[row]
        assert scores[row] == pytest.approx(score + weight * (page.earned[row] - before), rel=1e-9)


def test_what_the_log_could_have_held_is_averaged_over_the_last_choice() -> None:
    """Every pair as often as it is likely: the mean over rounds is the mean over draws."""
    pairs = [(one, two) for one in "ab" for two in "cd"] * 50
    even = (0.5, 0.5)
    top = [Round({}, (Action("a"), Action("b")), one, 0.5, 0.0, i, even) for i, (one, _) in enumerate(pairs)]
    end = [Round({}, (Action("c"), Action("d")), two, 0.5, 0.0, i, even) for i, (_, two) in enumerate(pairs)]
    page = Page((Log.from_rounds(top, slot="top"), Log.from_rounds(end, slot="end")))
    path = path_of(page, [np.tile([0.9, 0.1], (200, 1)), np.tile([0.3, 0.7], (200, 1))])
    found = path.possible(0.0, 1.0)
    assert found.weight == pytest.approx(np.sqrt(np.mean(path.through[-1] ** 3)))
    assert found.max_weight == pytest.approx(1.8 * 1.4)
    assert path.possible(0.0, 1.0) == path.of(np.ones(200, dtype=bool)).possible(0.0, 1.0)


def test_what_only_one_prefix_makes_impossible_counts_as_often_as_the_policy_gets_there() -> None:
    """After a, both; after b, never d. The log goes to b in a quarter of the rounds, uniform in half of them: it loses
    a quarter of what it would do.
    """
    c, d = Action("c"), Action("d")
    rows = [*[("a", "c"), ("a", "d")] * 3, ("b", "c"), ("b", "c")] * 50
    n, rare = len(rows), {"a": 0.75, "b": 0.25}
    clicks = [float(i % 3 == 0) for i in range(n)]
    top = [
        Round({}, (Action("a"), Action("b")), one, rare[one], clicks[i], i, (0.75, 0.25))
        for i, (one, _) in enumerate(rows)
    ]
    mid = [
        Round({"slot.top": one}, (c, d), two, p[0] if two == "c" else p[1], clicks[i], i, p)
        for i, (one, two) in enumerate(rows)
        for p in [(0.5, 0.5) if one == "a" else (1.0, 0.0)]
    ]
    page = Page((Log.from_rounds(top, slot="top", default="a"), Log.from_rounds(mid, slot="mid", default="c")))
    uniform = [np.full((n, 2), 0.5)] * 2
    assert path_of(page, uniform).support == pytest.approx(0.75)
    assert path_of(page, uniform).through[-1].mean() == pytest.approx(0.75), "what is lost has no weight"
    found = evaluate_page(page, ["top=fixed:a", "mid=uniform"])
    refused = found.row("uniform")
    assert refused.diagnostics is not None
    assert refused.diagnostics.support == pytest.approx(0.75)
    assert str(refused.refusal).startswith("slot 'mid' alone: ")
    assert refused.slots["top"].support == 1.0
    assert found.row("top=fixed:a").refusal is None, "nothing is impossible for it: the other slot is as logged"
    assert found.row("fixed").refusal is None


def test_the_page_and_its_slots_beside_the_truth() -> None:
    page = drawn(4000)
    found = evaluate_page(page, [PageCandidate("wanted", {slot: Candidate(slot, Wanted(slot)) for slot in page.names})])
    assert [row.name for row in found.rows] == ["logged", "uniform", "fixed", "wanted"]
    assert found.slots == ("top", "mid", "end")
    assert found.estimators == ("ips", "snips", "dr")
    assert any("dm" in note for note in found.notes)
    for name, truth in {
        "uniform": SMALL.uniform_value(),
        "fixed": SMALL.fixed_value(SMALL.defaults),
        "wanted": SMALL.value(wanted),
    }.items():
        for one in found.row(name).estimates.values():
            assert one.low < truth < one.high, (name, one)
            assert one.high - one.low < 0.2
    (view,) = found.views
    assert (view.kind, [group.name for group in view.groups]) == ("slot", ["top", "mid", "end"])
    for log, group in zip(page.slots, view.groups, strict=True):
        alone = evaluate(log, [Candidate("wanted", Wanted(log.slot))], estimators=["ips", "snips", "dr"])
        assert group.rows == alone.rows, "the same numbers as of the slot by itself"


def test_a_policy_for_some_slots_leaves_the_others_as_logged() -> None:
    page = drawn(2000)
    found = evaluate_page(page, ["mid=fixed:d", "fixed:d", "mid=fixed:d + end=fixed:g"], estimators=["ips"])
    one, short, two = (found.row(name) for name in ("mid=fixed:d", "fixed:d", "mid=fixed:d + end=fixed:g"))
    assert one.note == "for mid; as logged: top, end"
    assert one.estimates["ips"] == short.estimates["ips"], "d is a variant of no other slot"
    weight = np.where(page.slots[1].chosen == 1, 1.0 / page.slots[1].propensities, 0.0)
    assert one.estimates["ips"].value == pytest.approx(float(np.mean(weight * page.earned)))
    assert two.diagnostics is not None
    assert one.diagnostics is not None
    assert two.diagnostics.ess < one.diagnostics.ess


def test_learners_are_trained_slot_by_slot_on_the_first_half() -> None:
    page = drawn(1200)
    told: set[str] = set()
    found = evaluate_page(page, ["epsilon:epsilon=0.5"], estimators=["ips"], progress=lambda what, done: told.add(what))
    assert found.trained is not None
    assert (found.trained.n, found.period.n) == (600, 600)
    assert {f"training epsilon:epsilon=0.5, {slot}" for slot in page.names} <= told
    other = Page(tuple(_later_rewards(log, 600) for log in page.slots))
    again = evaluate_page(other, ["epsilon:epsilon=0.5"], estimators=["ips"]).row("epsilon:epsilon=0.5")
    before = found.row("epsilon:epsilon=0.5")
    assert again.diagnostics is not None
    assert before.diagnostics is not None
    assert again.diagnostics.ess == before.diagnostics.ess, "what happened later moves no learner"


def _later_rewards(log: Log, start: int) -> Log:
    return replace(log, rewards=np.r_[log.rewards[:start], 1.0 - log.rewards[start:]])


def test_a_slot_whose_choices_earn_their_own() -> None:
    page = drawn(800)
    own = replace(page.slots[2], rewards=1.0 - page.slots[2].rewards)
    both = Page((*page.slots[:2], own), page.earned)
    found, plain = (evaluate_page(one, estimators=["snips"]) for one in (both, page))
    assert found.rows == plain.rows, "the page earns what it earned"
    last = found.views[0].groups[2]
    assert last.rows[0].estimates["mean"].value == pytest.approx(1.0 - plain.rows[0].estimates["mean"].value)


def test_a_slot_of_one_variant_is_a_part_of_the_page_and_no_view() -> None:
    rows = [(context, choices, reward) for _, context, choices, reward in outcomes()] * 10
    page = page_of(rows)
    only = Log.from_rounds(
        [Round({}, (Action("x"),), "x", 1.0, r, 60.0 * i, (1.0,), i) for i, r in enumerate(page.earned)], slot="only"
    )
    found = evaluate_page(Page((only, *page.slots)), estimators=["snips"])
    assert found.views[0].groups[0].refusal is not None
    assert "one variant" in found.views[0].groups[0].refusal
    assert found.row("uniform").estimates == evaluate_page(page, estimators=["snips"]).row("uniform").estimates
    with pytest.raises(EvaluationError, match="no slot ever had more than one variant"):
        evaluate_page(Page((only, replace(only, slot="other"))))


def test_policies_that_no_slot_can_have() -> None:
    page = drawn(300)
    for policy, problem in {
        "fixed:x": r"slot 'top': policy 'fixed:x': no variant 'x' in this log.*SLOT=fixed:x",
        "side=uniform": r"no slot 'side'; there are: \['top', 'mid', 'end'\]",
        "end=fixed:a": "no variant 'a' in this log",
    }.items():
        with pytest.raises(EvaluationError, match=problem):
            evaluate_page(page, [policy])
    with pytest.raises(PolicyError, match="a slot is named twice"):
        evaluate_page(page, ["top=uniform + top=fixed:a"])
    with pytest.raises(EvaluationError, match="two policies are named 'wanted'"):
        evaluate_page(page, [PageCandidate("wanted", {"top": Candidate("x", Wanted("top"))})] * 2)
    with pytest.raises(EvaluationError, match="a page of several slots has"):
        evaluate_page(page, estimators=["dm", "switch_dr"])
    with pytest.raises(EvaluationError, match="expected one of"):
        evaluate_page(page, estimators=["magic"])


def test_what_a_policy_for_slots_looks_like() -> None:
    assert slot_specs("squarecb") is None
    assert slot_specs("weighted:a=1,b=1") is None
    assert slot_specs("top=fixed:a + b + end=weighted:f=1,g=2") == {"top": "fixed:a + b", "end": "weighted:f=1,g=2"}


def test_slots_that_are_not_the_same_decisions() -> None:
    page = drawn(50)
    top, mid, _ = page.slots
    for slots, problem in [
        ((top,), "1 slots; expected at least 2"),
        ((top, top), "expected names that differ"),
        ((top, mid[:49]), r"\[50, 49\] rounds"),
        ((top, replace(mid, times=mid.times + 1.0)), "times of slot 'mid': 50 of 50 rows"),
        ((top, replace(mid, rewards=1.0 - mid.rewards)), "rewards of slot 'mid': 50 of 50 rows"),
        (
            (replace(top, chosen=1 - top.chosen, probabilities=None), mid),
            "contexts of slot 'mid': 50 of 50 rows, first row 0",
        ),
    ]:
        with pytest.raises(LogError, match=problem):
            Page(slots)
    with pytest.raises(LogError, match="one finite number a round"):
        Page((top, mid), np.array([1.0]))


def test_checks_of_every_slot_are_told_once() -> None:
    page = drawn(600)
    checks = [finding.check for finding in diagnose_page(page)]
    assert len(checks) == len(set(checks))


def test_standard_weights_of_slates_agree_with_the_reference(shared: Path) -> None:
    """Their probability of the actions up to each position gives that of each slot; rewards are summed by slate."""
    folder = shared / "reference" / "slate_standard_decay_pbm_fact"
    x = np.load(folder / "inputs.npz")
    action = x["action"].reshape(-1, 3)
    rewards = x["reward"].astype(np.float64).reshape(-1, 3).sum(axis=1)
    given, wanted = (
        _conditional(x[name].reshape(-1, 3)) for name in ("pscore_cascade", "evaluation_policy_pscore_cascade")
    )
    n, actions = len(action), tuple(Action(str(one)) for one in range(6))
    logs, targets = [], []
    for slot in range(3):
        logs.append(
            Log.from_rounds(
                [
                    Round({}, actions, str(action[i, slot]), float(given[i, slot]), float(rewards[i]), float(i))
                    for i in range(n)
                ],
                slot=f"s{slot}",
            )
        )
        target = np.repeat((1.0 - wanted[:, slot, None]) / 5.0, 6, axis=1)
        target[np.arange(n), action[:, slot]] = wanted[:, slot]
        targets.append(target)
    page = Page(tuple(logs))
    found = evidence_of(page, targets, [np.zeros((n, 6))] * 3)
    expected = {"sips": ips, "sn_sips": snips}
    for one in json.loads((folder / "expected.json").read_text())["estimators"]:
        if one["estimator"] in expected:
            value = expected.pop(one["estimator"])(found.rewards, found.weights, found.persons).value
            assert value == pytest.approx(one["value"], rel=1e-6)
    assert not expected


def _conditional(up_to: Floats) -> Floats:
    """(n, 3) from the probability of the first 1, 2, 3 to that of each given those before."""
    columns = [up_to[:, 0], *(later / before for before, later in pairwise(up_to.T))]
    return np.stack(columns, axis=1)


OFFERED = {
    "top": lambda before: "ab",
    "mid": lambda before: "cd" if before["top"] == "a" else "cde",
    "end": lambda before: "f" if before["mid"] == "e" else "fg",
}
"""What may be chosen in a slot after these choices: where nothing is left to choose, it is certain."""


def shares(slot: str, before: dict[str, str], *, salt: int) -> dict[str, float]:
    """Of what is offered, other ones for each way there: those of the log, or with another salt, of the judged."""
    offered = OFFERED[slot](before)
    drawn = 0.2 + np.random.default_rng([salt, *map(ord, "".join(before.values()) + slot)]).random(len(offered))
    return dict(zip(offered, (drawn / drawn.sum()).tolist(), strict=True))


def ways(salts: dict[str, int], before: dict[str, str]) -> Iterator[tuple[float, dict[str, str]]]:
    """Every page with its probability, each slot decided by the shares of its salt."""
    left = [slot for slot in OFFERED if slot not in before]
    if not left:
        yield 1.0, before
        return
    for variant, p in shares(left[0], before, salt=salts[left[0]]).items():
        for chance, page in ways(salts, {**before, left[0]: variant}):
            yield p * chance, page


@pytest.mark.parametrize(
    ("slots", "judged"),
    [
        (("top", "mid", "end"), {"top"}),
        (("top", "mid", "end"), {"mid"}),
        (("top", "mid", "end"), {"top", "end"}),
        (("top", "mid", "end"), {"top", "mid", "end"}),
        (("top", "end"), {"top"}),
        (("top", "end"), {"top", "end"}),
        (("mid", "end"), {"mid", "end"}),
    ],
)
def test_eligible_sets_that_depend_on_earlier_slots_and_slots_that_are_not_asked_for(
    slots: tuple[str, ...], judged: set[str]
) -> None:
    """What is not among the slots stays as logged, though what is offered later depends on it."""
    earned = {page: i / 10 for i, (_, found) in enumerate(ways(dict.fromkeys(OFFERED, 0), {})) for page in [str(found)]}
    chances, pages = zip(*ways(dict.fromkeys(OFFERED, 0), {}), strict=True)
    truth = sum(p * earned[str(page)] for p, page in ways({slot: int(slot in judged) for slot in OFFERED}, {}))
    logs, targets = [], []
    for slot in slots:
        rounds, wanted_of = [], []
        for row, page in enumerate(pages):
            before = {one: page[one] for one in list(OFFERED)[: list(OFFERED).index(slot)]}
            pmf = shares(slot, before, salt=0)
            actions, context = tuple(map(Action, pmf)), {f"slot.{one}": variant for one, variant in before.items()}
            p = list(pmf.values())
            rounds.append(Round(context, actions, page[slot], pmf[page[slot]], earned[str(page)], float(row), p, row))
            wanted_of.append(shares(slot, before, salt=1))
        log = Log.from_rounds(rounds, slot=slot)
        logs.append(log)
        pmfs = np.array([[one.get(action.id, 0.0) for action in log.actions] for one in wanted_of])
        targets.append(pmfs if slot in judged else None)
    rng = np.random.default_rng(0)
    q = [rng.normal(size=log.eligible.shape)[_first_of_kind(log)] for log in logs]
    found = evidence_of(Page(tuple(logs)), targets, q)
    chance = np.array(chances)
    assert chance @ found.weights == pytest.approx(1.0, rel=1e-12)
    assert chance @ (found.weights * found.rewards) == pytest.approx(truth, rel=1e-12)
    assert chance @ (found.expected + found.weights * (found.rewards - found.predicted)) == pytest.approx(truth)
