"""What a slot's learner learns from: exactly what counts, as the policy saw it when it decided."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policies.base import UnreadableSnapshot
from policies.types import Action, TrainingExample
from server.campaigns.file import load_campaigns
from server.campaigns.learning import build_policy, configuration, learning_slots, matching_states
from server.campaigns.model import Campaign
from server.decide import SlotOptions
from server.records import Candidate, Choice, Decision, Group, Kind, Matured, Reason, SlotState, state_digest
from server.training.learners import learn_segment, training_examples

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIME = {"time.hours": "12-16", "time.weekday": "sun"}


@pytest.fixture
def campaign(hero: str) -> Campaign:
    (loaded,) = load_campaigns(hero, file_name="test.yaml")
    return loaded


HEADLINE = Choice(
    slot="headline",
    variant="price",
    content={},
    propensity=0.25,
    kind=Kind.POLICY,
    reason=Reason.DRAWN,
    policy="squarecb",
    explore=0.02,
    eligible=("hours", "price"),
    probabilities=(0.75, 0.25),
    activated_at=AT,
)
CTA = replace(HEADLINE, slot="cta", variant="try", eligible=("try", "demo"), probabilities=(0.5, 0.5), propensity=0.5)


def row(*choices: Choice, reward: float | None = 1.0, sequence: int = 1, **slot_rewards: float) -> Matured:
    decision = Decision(
        id=f"d{sequence}",
        campaign="hero",
        version=1,
        at=AT,
        person=None,
        context={"country": "ES"},
        ignored_context=(),
        labels={"never": "a feature"},
        time_zone=None,
        group=Group.POLICY,
        snapshot=None,
        window_closes_at=AT + timedelta(minutes=30),
        choices=choices or (HEADLINE, CTA),
    )
    return Matured(decision, sequence, reward, slot_rewards, AT)


def examples(campaign: Campaign, of: Matured, slot: str) -> list[TrainingExample]:
    return list(training_examples(of, slot, campaign, lambda version: campaign))


def test_an_example_is_what_the_policy_saw(campaign: Campaign) -> None:
    (example,) = examples(campaign, row(), "headline")
    assert example.context == {"country": "ES", **TIME}
    assert example.actions == (Action("hours"), Action("price", {"angle": "price"}))
    assert example.probabilities.tolist() == [0.75, 0.25]
    assert (example.chosen, example.propensity, example.reward) == (1, 0.25, 1.0)


def test_a_later_slot_knows_what_the_earlier_ones_chose(campaign: Campaign) -> None:
    (example,) = examples(campaign, row(), "cta")
    assert example.context == {"country": "ES", **TIME, "slot.headline": "price"}
    shown_by_default = replace(HEADLINE, kind=Kind.FALLBACK, reason=Reason.NOTHING_ELIGIBLE)
    (example,) = examples(campaign, row(shown_by_default, CTA), "cta")
    assert example.context["slot.headline"] == "price"


@pytest.mark.parametrize("kind", [Kind.FALLBACK, Kind.OBSERVED])
def test_what_was_not_drawn_is_not_learned(campaign: Campaign, kind: Kind) -> None:
    of = row(replace(HEADLINE, kind=kind), CTA)
    assert examples(campaign, of, "headline") == []
    assert len(examples(campaign, of, "cta")) == 1


def test_what_has_no_reward_is_not_learned(campaign: Campaign) -> None:
    assert examples(campaign, row(reward=None), "headline") == []


OBSERVED = replace(HEADLINE, kind=Kind.OBSERVED, reason=Reason.OBSERVED, probabilities=(), policy="")


@pytest.fixture
def apprentice(hero: str) -> Campaign:
    (loaded,) = load_campaigns(hero.replace("slots:", "learn_from: [drawn, observed]\nslots:"), file_name="x")
    return loaded


@pytest.mark.parametrize(
    ("propensity", "eligible", "probabilities"),
    [
        (None, ("hours", "price", "trust"), [0.0, 1.0, 0.0]),
        (1.0, ("hours", "price"), [0.0, 1.0]),
        (0.5, ("hours", "price", "trust"), [0.25, 0.5, 0.25]),
        (None, ("price",), [1.0]),
    ],
)
def test_an_apprentice_learns_what_others_chose(
    apprentice: Campaign, propensity: float | None, eligible: tuple[str, ...], probabilities: list[float]
) -> None:
    choice = replace(OBSERVED, propensity=propensity, eligible=eligible)
    (example,) = examples(apprentice, row(choice), "headline")
    assert example.probabilities.tolist() == probabilities
    assert example.actions[example.chosen].id == "price"
    assert example.reward == 1.0


def test_an_apprentice_learns_the_probabilities_that_are_known(apprentice: Campaign) -> None:
    known = replace(OBSERVED, eligible=("hours", "price", "trust"), probabilities=(0.6, 0.25, 0.15))
    assert examples(apprentice, row(known), "headline")[0].probabilities.tolist() == [0.6, 0.25, 0.15]


def test_who_learns_from_others_alone_does_not_learn_from_itself(hero: str) -> None:
    (campaign,) = load_campaigns(hero.replace("slots:", "learn_from: [observed]\nslots:"), file_name="x")
    assert examples(campaign, row(), "headline") == []
    assert len(examples(campaign, row(OBSERVED), "headline")) == 1


def test_who_only_logs_learns_nothing_and_decides_by_what_was_learned_before(hero: str) -> None:
    def version(learn_from: str) -> Campaign:
        (loaded,) = load_campaigns(hero.replace("slots:", f"learn_from: {learn_from}\nslots:"), file_name="x")
        return loaded

    def learned(campaign: Campaign) -> tuple[SlotState, ...]:
        return learn_segment(campaign, {}, [row()], lambda version: campaign)[0]

    logging = version("[]")
    assert learning_slots(logging) == ()
    other = Campaign.from_document({**logging.document(), "policy": "epsilon"})
    for before in (version("[drawn]"), version("[drawn, observed]")):
        assert set(matching_states(logging, learned(before))) == {"headline", "cta"}
        assert matching_states(other, learned(before)) == {}


def test_a_slot_earns_its_own_reward_if_it_has_one(campaign: Campaign) -> None:
    of = row(reward=1.0, cta=3.0)
    assert examples(campaign, of, "headline")[0].reward == 1.0
    assert examples(campaign, of, "cta")[0].reward == 3.0


def test_candidates_are_learned_with_the_features_they_brought(campaign: Campaign) -> None:
    brought = Candidate("w", {"text": "W"}, {"tone": "warm"})
    choice = replace(HEADLINE, variant="w", eligible=("hours", "w"), candidates=(brought,))
    (example,) = examples(campaign, row(choice), "headline")
    assert example.actions == (Action("hours"), Action("w", {"tone": "warm"}))


def test_a_decision_that_skipped_the_slot_teaches_it_nothing(campaign: Campaign) -> None:
    assert examples(campaign, row(CTA), "headline") == []


def test_the_features_are_those_of_the_version_that_decided(hero: str) -> None:
    (old,) = load_campaigns(hero, file_name="x")
    (new,) = load_campaigns(hero.replace("angle: price", "angle: cheap"), file_name="x")
    versions = {1: old, 2: new}
    (example,) = training_examples(row(), "headline", new, versions.__getitem__)
    assert example.actions[1].features == {"angle": "price"}


def test_whether_texts_and_time_are_seen_is_up_to_the_version_that_learns(hero: str) -> None:
    (blind,) = load_campaigns(hero.replace("slots:", "clock: false\nslots:"), file_name="x")
    (seeing,) = load_campaigns(hero.replace("default: hours", "default: hours\n    wording: true"), file_name="x")
    (example,) = training_examples(row(), "headline", blind, lambda version: seeing)
    assert example.context == {"country": "ES"}
    assert example.actions == (Action("hours"), Action("price", {"angle": "price"}))
    (example,) = training_examples(row(), "headline", seeing, lambda version: blind)
    assert example.context == {"country": "ES", **TIME}
    assert [action.features["text.words"] for action in example.actions] == [("gana", "3", "horas"), ("desde", "9")]
    assert example.actions[1].features["angle"] == "price"


def test_candidates_are_learned_by_their_words(hero: str) -> None:
    (campaign,) = load_campaigns(hero.replace("default: hours", "default: hours\n    candidates: true"), file_name="x")
    brought = Candidate("w", {"text": "¡Nuevo!"}, {"tone": "warm"})
    choice = replace(HEADLINE, variant="w", eligible=("hours", "w"), candidates=(brought,))
    (example,) = examples(campaign, row(choice), "headline")
    assert example.actions[1].features["text.words"] == ("nuevo",)
    assert example.actions[1].features["tone"] == "warm"


def test_the_same_segments_give_the_same_bytes(campaign: Campaign) -> None:
    rows = [row(reward=float(i % 3), sequence=i) for i in range(1, 41)]

    def train(*lengths: int) -> dict[str, SlotState]:
        states: dict[str, SlotState] = {}
        begin = 0
        for length in lengths:
            after, _ = learn_segment(campaign, states, rows[begin : begin + length], lambda version: campaign)
            states, begin = {one.slot: one for one in after}, begin + length
        assert begin == len(rows)
        return states

    assert train(10, 30) == train(10, 30)
    assert all(state.intact for state in train(10, 30).values())
    assert set(train(40)) == {"headline", "cta"}


def test_learning_counts_its_examples(campaign: Campaign) -> None:
    rows = [row(), row(reward=None, sequence=2), row(replace(HEADLINE, kind=Kind.FALLBACK), CTA, sequence=3)]
    assert learn_segment(campaign, {}, rows, lambda version: campaign)[1] == 3


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("text: Pruébalo", "text: Prueba", True),
        ("      - {id: demo, content: {text: Pide una demo}}\n", "", True),
        ("window: 30m", "window: 1h", True),
        ("[0, 3]", "[0, 4]", False),
        ("context:", "policy: epsilon\ncontext:", False),
        ("context:", "clock: false\ncontext:", False),
        ("context:", "clock: true\ncontext:", True),
        ("context:", "learn_from: [drawn]\ncontext:", True),
        ("context:", "learn_from: [drawn, observed]\ncontext:", False),
        ("    default: try\n", "    default: try\n    wording: false\n", True),
    ],
)
def test_what_bytes_can_be_loaded_under(hero: str, old: str, new: str, same: bool) -> None:
    assert old in hero
    (before,) = load_campaigns(hero, file_name="x")
    (after,) = load_campaigns(hero.replace(old, new), file_name="x")
    assert (configuration(before, "cta") == configuration(after, "cta")) is same
    states, _ = learn_segment(before, {}, [row()], lambda version: before)
    assert set(matching_states(after, states)) == ({"headline", "cta"} if same else set())


def test_what_was_saved_before_there_was_a_choice_of_what_to_learn_from_stays_valid(campaign: Campaign) -> None:
    saved = '{"policy":"auto","reward_range":[0.0,3.0],"wording":false,"clock":true}'
    assert configuration(campaign, "cta") == saved


def test_a_slot_that_begins_to_see_texts_starts_again_alone(hero: str) -> None:
    (before,) = load_campaigns(hero, file_name="x")
    (after,) = load_campaigns(hero.replace("default: try", "default: try\n    wording: true"), file_name="x")
    states, _ = learn_segment(before, {}, [row()], lambda version: before)
    assert set(matching_states(after, states)) == {"headline"}


def test_states_that_are_gone_match_nothing(campaign: Campaign) -> None:
    states, _ = learn_segment(campaign, {}, [row()], lambda version: campaign)
    assert matching_states(campaign, [replace(one, state=None) for one in states]) == {}
    assert matching_states(campaign, [replace(one, slot="gone") for one in states]) == {}


def test_only_learners_learn(hero: str) -> None:
    (campaign,) = load_campaigns(
        hero.replace("    default: try\n", "    default: try\n    policy: uniform\n"), file_name="x"
    )
    assert learning_slots(campaign) == ("headline",)


def test_bytes_of_something_else_are_refused(campaign: Campaign) -> None:
    with pytest.raises(UnreadableSnapshot):
        build_policy(campaign, "headline", b"something else, and long enough")


def test_an_edited_example_would_be_seen() -> None:
    assert state_digest(b"a") != state_digest(b"b")
    assert not SlotState("s", "p", "a", "c", b"a", state_digest(b"b")).intact


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # PostgreSQL refuses one of them
def test_hostile_text_is_learned_from(log: Any, put: Callable[[str], object], clock: Any, new_trainer: Any) -> None:
    put("campaign: hero\nmetrics: {click: once}\nreward: {window: 1m}\ncontext: any\nslots: {s: {candidates: true}}\n")
    hostile = ["a b", "a|b", "a:1", "x\n|a =id=z", "\t", "\x00", "😀", "é" * 5_000, " "]
    options = {"s": SlotOptions(candidates=tuple(Candidate(one[:60], {}, {one: one, "n": 1.0}) for one in hostile))}
    for text in hostile:
        (decision,) = log.decide([{text: text, "list": [text, ""]}], options=options)
        log.happen(decision, after=timedelta(seconds=1))
    progress = new_trainer().step(clock.move(minutes=2))
    assert (progress.matured, progress.learned) == (9, 9)
    (after,) = log.decide([{hostile[0]: hostile[1]}], options=options)
    assert after.snapshot is not None
    assert len(after.choices[0].probabilities) == 9
