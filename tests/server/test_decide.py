"""One decision, attacked: whatever comes in, what is logged is what was drawn, and a page gets its headline."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from policies.base import draw_point
from policies.types import Action, Features, Pmf
from server.campaigns.catalogue import Served, serve
from server.campaigns.file import load_campaigns
from server.decide import MAX_CANDIDATES, DecideRequest, SlotOptions, _is_zone, decide, eligible_actions
from server.errors import InvalidRequest, NoSuchCampaign
from server.ids import RANDOM
from server.records import Candidate, Decision, Kind, Reason, State
from server.store.campaigns import StoredCampaign

SECRET = b"s" * 32
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = """\
campaign: hero
metrics: {click: once}
reward: {window: 30m}
policy: {weighted: {a: 1, b: 3, c: 6}}
explore: 0.1
context: any
slots:
  headline:
    default: a
    variants: [{id: a, content: {text: A}}, {id: b, content: {text: B}}, {id: c, content: {text: C}}]
  cta:
    default: x
    policy: uniform
    candidates: true
    variants: [{id: x, content: {text: X}}, {id: y}]
"""
HOSTILE = [
    "",
    " ",
    "a b",
    "a|b",
    "|a b",
    "a:b",
    "a:1",
    "\t",
    "\n",
    "\r\n",
    "x\n|a =id=z",
    "\x00",
    "😀👩‍👩‍👧",
    "ملك",
    "slot.headline",
    "__proto__",
    "'; drop table decisions; --",
    "<script>",
    "%00",
    "é" * 5_000,
    "\ud800",
]


def served(text: str = TEXT, state: State = State.ACTIVE) -> Served:
    (campaign,) = load_campaigns(text, file_name="test.yaml")
    stored = StoredCampaign(campaign.campaign, 3, 7, state.value, campaign.document(), text, NOW)
    return serve(stored, None)


HERO = served()


def with_policy(policy: Any) -> Served:
    slots = {name: replace(slot, policy=policy) for name, slot in HERO.slots.items()}
    return replace(HERO, slots=slots)


def make(served: Served = HERO, *, seed: int = 1, **request: Any) -> Decision:
    raw = random.Random(seed).randbytes(RANDOM)
    return decide(served, DecideRequest("hero", **request), secret=SECRET, now=NOW, random=raw)


def candidates(*ids: str) -> dict[str, SlotOptions]:
    return {"cta": SlotOptions(candidates=tuple(Candidate(one, {"text": one}, {}) for one in ids))}


def assert_exact(decision: Decision) -> None:
    """Every stored choice is a distribution over its eligible variants, and says the chosen one's probability."""
    for choice in decision.choices:
        assert len(choice.probabilities) == len(choice.eligible)
        if choice.kind is Kind.POLICY:
            assert abs(sum(choice.probabilities) - 1.0) < 1e-9
            assert choice.propensity == choice.probabilities[choice.eligible.index(choice.variant)] > 0.0
        else:
            assert choice.propensity == 1.0


def test_the_same_inputs_give_the_same_decision() -> None:
    assert make(context={"a": "1"}) == make(context={"a": "1"})
    assert len({make(seed=seed).choices[0].variant for seed in range(40)}) == 3


def test_what_is_drawn_from_is_what_is_logged() -> None:
    decision = make()
    headline, cta = decision.choices
    assert headline.eligible == ("a", "b", "c")
    assert headline.probabilities == pytest.approx([0.1 / 3 + 0.09, 0.1 / 3 + 0.27, 0.1 / 3 + 0.54], abs=1e-15)
    assert cta.probabilities == (0.5, 0.5)
    assert headline.content == {"text": headline.variant.upper()}
    assert decision.window_closes_at == NOW + timedelta(minutes=30)
    assert_exact(decision)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_text_changes_nothing_but_itself(text: str) -> None:
    plain = make(context={"country": "ES"})
    for context in ({"country": "ES", text: "x"}, {"country": text}, {"country": [text, "x"]}):
        decision = make(context=context)
        assert_exact(decision)
        assert [choice.eligible for choice in decision.choices] == [choice.eligible for choice in plain.choices]
    assert_exact(make(labels={text: text}))
    assert make(labels={text: {"deep": [text, None]}}).labels == {text: {"deep": [text, None]}}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("where", ["person", "request_id", "candidate"])
def test_short_texts_are_taken_as_they_are_or_refused(text: str, where: str) -> None:
    request = {"options": candidates(text)} if where == "candidate" else {where: text}
    if 0 < len(text.encode("utf-8", "surrogatepass")) <= 256 and not text.startswith("\ud800"):
        assert_exact(make(**request))
    else:
        with pytest.raises(InvalidRequest, match="expected"):
            make(**request)


@pytest.mark.parametrize("zone", [*HOSTILE[1:], "../../etc/passwd", "/etc/passwd", "Europe", "Mars/Phobos", "x" * 65])
def test_an_unknown_time_zone_is_told_and_ignored(zone: str) -> None:
    decision = make(time_zone=zone, context={"x": object(), "country": "ES"})
    assert decision.time_zone is None
    assert decision.ignored_context == ("time_zone", "x")
    assert make(time_zone="Europe/Madrid").time_zone == "Europe/Madrid"


def test_long_names_of_time_zones_are_not_remembered() -> None:
    make(time_zone="Europe/Madrid")
    before = _is_zone.cache_info().currsize
    make(time_zone="x" * 10_000_000)
    assert _is_zone.cache_info().currsize == before


def test_what_is_no_feature_is_ignored_and_told_in_order() -> None:
    context = {"z": float("nan"), "m": float("inf"), "b": {"deep": 1}, "a": ["x", 1], "ok": 1.5, "slot.headline": "b"}
    decision = make(context=context)
    assert decision.context == {"ok": 1.5}
    assert decision.ignored_context == ("a", "b", "m", "slot.headline", "z")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.DRAFT, Reason.CAMPAIGN_DRAFT),
        (State.PAUSED, Reason.CAMPAIGN_PAUSED),
        (State.KILLED, Reason.CAMPAIGN_KILLED),
    ],
)
def test_a_campaign_that_does_not_decide_shows_the_defaults(state: State, reason: Reason) -> None:
    decision = make(served(state=state), options=candidates("z"))
    assert [(choice.variant, choice.kind, choice.reason) for choice in decision.choices] == [
        ("a", Kind.FALLBACK, reason),
        ("x", Kind.FALLBACK, reason),
    ]
    assert (decision.reason, decision.kind) == (reason, Kind.FALLBACK)
    assert decision.id
    assert_exact(decision)


def test_a_dry_run_decides_a_draft() -> None:
    decision = make(served(state=State.DRAFT), dry_run=True)
    assert decision.reason is Reason.DRAWN
    assert decision.id == ""


@pytest.mark.parametrize("flags", [{}, {"dry_run": True}, {"opted_out": True}])
def test_an_archived_campaign_decides_for_nobody(flags: Mapping[str, bool]) -> None:
    with pytest.raises(NoSuchCampaign, match="archived"):
        make(served(state=State.ARCHIVED), **flags)


def test_who_opted_out_gets_the_defaults_and_no_id() -> None:
    decision = make(opted_out=True, person="ana")
    assert {choice.variant for choice in decision.choices} == {"a", "x"}
    assert (decision.id, decision.reason) == ("", Reason.OPTED_OUT)


def test_a_deferred_slot_is_not_shown_yet() -> None:
    at_once, waits = make(), make(defer_activation=True)
    assert (at_once.activate_by, at_once.activated_at) == (None, NOW)
    assert {choice.activated_at for choice in at_once.choices} == {NOW}
    assert (waits.activate_by, waits.activated_at, waits.window_closes_at) == (NOW + timedelta(days=1), None, None)
    assert {choice.activated_at for choice in waits.choices} == {None}
    # nothing else about it is different
    as_shown = tuple(replace(choice, activated_at=NOW) for choice in waits.choices)
    assert replace(at_once, choices=as_shown) == at_once


def test_a_slot_that_is_seen_before_is_shown_by_the_decision() -> None:
    mail = served(TEXT.replace("policy: uniform", "policy: uniform\n    seen: decision"))
    for state in (State.ACTIVE, State.PAUSED):
        decision = make(replace(mail, state=state), defer_activation=True)
        assert [choice.activated_at for choice in decision.choices] == [None, NOW]
        assert (decision.activated_at, decision.window_closes_at) == (NOW, NOW + timedelta(minutes=30))
    assert make(mail, defer_activation=True, slots=frozenset({"headline"})).activated_at is None


@pytest.mark.parametrize("policy", [TEXT, TEXT.replace("{a: 1, b: 3, c: 6}", "{a: 1, b: 3}")])
def test_defaults_are_deferred_too(policy: str) -> None:
    options = {"headline": SlotOptions(exclude=frozenset("abc"))}
    decision = make(served(policy), options=options, defer_activation=True)
    assert decision.choices[0].kind is Kind.FALLBACK
    assert decision.activated_at is None


def test_a_deferred_activation_is_awaited_as_long_as_the_call_or_the_campaign_says() -> None:
    patient = served(TEXT.replace("context:", "activation_ttl: 30d\ncontext:"))
    assert make(patient, defer_activation=True).activate_by == NOW + timedelta(days=30)
    ttl = timedelta(seconds=1)
    assert make(patient, defer_activation=True, activation_ttl=ttl).activate_by == NOW + ttl
    for wrong in (timedelta(milliseconds=999), timedelta(days=90, seconds=1), timedelta(0), -ttl):
        with pytest.raises(InvalidRequest, match="expected 1 s to 90 days"):
            make(patient, defer_activation=True, activation_ttl=wrong)


def test_exclusions() -> None:
    decision = make(options={"headline": SlotOptions(exclude=frozenset({"c", "gone", "😀"}))})
    (headline, _) = decision.choices
    assert headline.eligible == ("a", "b")
    assert [(one.slot, one.variant, one.reason) for one in headline.refusals] == [("headline", "c", "excluded")]
    assert_exact(decision)


def test_where_everything_is_excluded_the_default_is_shown_and_the_other_slots_are_drawn() -> None:
    decision = make(options={"headline": SlotOptions(exclude=frozenset("abc"))})
    headline, cta = decision.choices
    assert (headline.variant, headline.kind, headline.reason) == ("a", Kind.FALLBACK, Reason.NOTHING_ELIGIBLE)
    assert cta.kind is Kind.POLICY
    # the decision is told by the slot that the policy did not draw
    assert (decision.reason, decision.kind) == (Reason.NOTHING_ELIGIBLE, Kind.FALLBACK)
    assert_exact(decision)


def test_candidates_come_after_the_campaigns_own() -> None:
    seen = set()
    for seed in range(60):
        (_, cta) = make(seed=seed, options=candidates("w", "a|b\nc")).choices
        assert cta.eligible == ("x", "y", "w", "a|b\nc")
        if cta.variant in ("w", "a|b\nc"):
            assert cta.content == {"text": cta.variant}
        seen.add(cta.variant)
    assert seen == set(cta.eligible)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (candidates("x"), "there are two variants 'x'"),
        (candidates("w", "w"), "there are two variants 'w'"),
        (candidates(*map(str, range(MAX_CANDIDATES + 1))), "10001 candidates; at most 10000"),
        ({"headline": candidates("w")["cta"]}, "takes no candidates"),
        ({"footer": SlotOptions()}, "no slot 'footer'; it has: 'headline', 'cta'"),
    ],
)
def test_wrong_options_are_refused(options: Mapping[str, SlotOptions], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        make(options=options)


def test_an_unknown_slot_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no slot 'footer'"):
        make(slots=frozenset({"footer"}))
    assert [choice.slot for choice in make(slots=frozenset({"cta"})).choices] == ["cta"]


NEWSLETTER = served("campaign: n\nmetrics: {click: once}\nreward: {window: 1d}\nslots: {subject: {candidates: true}}\n")


def test_a_slot_of_candidates_only() -> None:
    with pytest.raises(InvalidRequest, match="the call has to bring candidates"):
        make(NEWSLETTER)
    options = {"subject": SlotOptions(candidates=candidates("uno", "dos")["cta"].candidates)}
    (subject,) = make(NEWSLETTER, options=options, opted_out=True).choices
    assert (subject.variant, subject.content) == ("uno", {"text": "uno"})
    nothing = {"subject": replace(options["subject"], exclude=frozenset({"uno", "dos"}))}
    assert make(NEWSLETTER, options=nothing).choices[0].variant == "uno"


@dataclass
class Listening:
    """Draws the last action for sure, and remembers what it was asked."""

    heard: list[Features] = field(default_factory=list)

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        self.heard.append(context)
        return np.eye(len(actions))[-1]


def test_later_slots_see_what_earlier_ones_chose() -> None:
    policy = Listening()
    decision = make(with_policy(policy), context={"country": "ES"})
    time = {"time.hours": "12-16", "time.weekday": "sun"}
    assert policy.heard[0] == {"country": "ES", **time}
    assert policy.heard[1] == {"country": "ES", **time, "slot.headline": decision.choices[0].variant}


def test_policies_see_the_time_of_the_person_unless_the_campaign_has_no_clock() -> None:
    policy = Listening()
    decision = make(with_policy(policy), time_zone="Pacific/Auckland")
    assert policy.heard[0] == {"time.hours": "00-04", "time.weekday": "mon"}
    assert decision.context == {}  # what was sent, and nothing else
    timeless = served(TEXT.replace("context: any", "context: any\nclock: false"))
    policy = Listening()
    slots = {name: replace(slot, policy=policy) for name, slot in timeless.slots.items()}
    make(replace(timeless, slots=slots), context={"time.hours": "mine"})
    assert policy.heard[0] == {}


@pytest.mark.parametrize(("line", "seen"), [("", True), ("    wording: true\n", True), ("    wording: false\n", False)])
def test_policies_see_what_variants_and_candidates_say(line: str, seen: bool) -> None:
    hero = served(TEXT.replace("    policy: uniform\n", f"    policy: uniform\n{line}"))
    brought = Candidate("z", {"text": "Última hora"}, {"tone": "warm", "text.words": ("mine",)})
    actions, _ = eligible_actions(hero.slots["cta"], SlotOptions(candidates=(brought,)))
    words = [action.features.get("text.words") for action in actions]
    assert words == ([("x",), None, ("última", "hora")] if seen else [None, None, ("mine",)])
    assert actions[2].features["tone"] == "warm"
    assert all(not action.features for action in eligible_actions(hero.slots["headline"], SlotOptions())[0])


@dataclass
class Broken:
    answer: Any

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        if isinstance(self.answer, Exception):
            raise self.answer
        return np.array(self.answer, dtype=float)


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("gone"),
        [],
        [1.0],
        [0.25, 0.25, 0.25, 0.25],
        [np.nan, 0.5, 0.5],
        [np.inf, 0.0, 0.0],
        [0.0, 0.0, 0.0],
        [1.5, -0.5, 0.0],
        [0.5, 0.5, 0.5],
        [[0.2, 0.3, 0.5]],
    ],
    ids=str,
)
def test_whatever_a_policy_does_the_default_is_shown(answer: Any) -> None:
    told: list[tuple[str, str]] = []
    broken = with_policy(Broken(answer))
    request = DecideRequest("hero", slots=frozenset({"headline"}))
    decision = decide(
        broken,
        request,
        secret=SECRET,
        now=NOW,
        random=bytes(RANDOM),
        on_failure=lambda slot, error: told.append((slot, type(error).__name__)),
    )
    (headline,) = decision.choices
    assert (headline.variant, headline.kind, headline.reason) == ("a", Kind.FALLBACK, Reason.POLICY_FAILED)
    assert told == [("headline", "RuntimeError" if isinstance(answer, Exception) else "InvalidPmf")]
    assert_exact(decision)


def test_frequencies_agree_with_the_logged_probabilities() -> None:
    rng = random.Random(20260301)
    decisions = [
        decide(HERO, DecideRequest("hero"), secret=SECRET, now=NOW, random=rng.randbytes(RANDOM)) for _ in range(20_000)
    ]
    probabilities = decisions[0].choices[0].probabilities
    assert max(probabilities) > 4 * min(probabilities)
    drawn = Counter(decision.choices[0].variant for decision in decisions)
    expected = [20_000 * p for p in probabilities]
    assert chisquare([drawn[variant] for variant in ("a", "b", "c")], expected).pvalue > 1e-3
    # the two slots of a decision are drawn independently of each other
    both = Counter((decision.choices[0].variant, decision.choices[1].variant) for decision in decisions)
    observed = [both[one, other] for one in "abc" for other in "xy"]
    assert chisquare(observed, [p / 2 * 20_000 for p in probabilities for _ in "xy"]).pvalue > 1e-3


def test_the_draw_can_be_made_again_from_the_id_alone() -> None:
    for seed in range(50):
        decision = make(seed=seed)
        for choice in decision.choices:
            point = draw_point(SECRET, decision.id, choice.slot)
            below = sum(choice.probabilities[: choice.eligible.index(choice.variant)])
            assert below <= point < below + choice.propensity + 1e-12


def test_the_hash_of_a_request_tells_repetition_from_another_payload() -> None:
    base = {"person": "ana", "context": {"a": "1", "b": 2.0}, "labels": {"l": 1}, "request_id": "r"}

    def hashed(**changes: Any) -> str | None:
        return make(**{**base, **changes}).request_hash

    assert hashed() == hashed(context={"b": 2.0, "a": "1"})
    others = [
        hashed(person="eva"),
        hashed(context={"a": "1"}),
        hashed(context={"a": "1", "b": "2.0"}),
        hashed(labels={}),
        hashed(slots=frozenset({"cta"})),
        hashed(options={"headline": SlotOptions(exclude=frozenset("a"))}),
        hashed(options=candidates("w")),
        hashed(time_zone="Europe/Madrid"),
        hashed(defer_activation=True),
        hashed(defer_activation=True, activation_ttl=timedelta(days=1)),
    ]
    assert len({hashed(), *others}) == len(others) + 1
    assert make().request_hash is None
    # as before activations could be deferred: what was asked before an upgrade is repeated after it
    assert hashed() == "0d86ae59a46b05a3894bd603df967597"


def test_a_request_that_is_no_unicode_is_refused_where_it_has_to_be_compared() -> None:
    with pytest.raises(InvalidRequest, match="not JSON of Unicode text"):
        make(request_id="r", labels={"x": "\ud800"})


@given(
    st.dictionaries(st.text(), st.text() | st.floats() | st.booleans() | st.lists(st.text()), max_size=5),
    st.sets(st.text(max_size=5), max_size=3),
    st.lists(st.text(max_size=5), max_size=3),
)
def test_every_request_is_answered_exactly_or_refused(
    context: Mapping[str, Any], exclude: set[str], brought: list[str]
) -> None:
    options = {"cta": replace(candidates(*brought)["cta"], exclude=frozenset(exclude))}
    with suppress(InvalidRequest):
        assert_exact(make(context=context, options=options))


BOUNDED = """\
campaign: hero
metrics: {click: once}
reward: {window: 30m}
policy: {weighted: {a: 1, b: 3, c: 6}}
explore: 0.1
context: any
slots:
  headline:
    default: a
    variants: [{id: a, share: {min: 0.25}}, {id: b}, {id: c, share: {max: 0.4}}]
  cta:
    default: x
    policy: uniform
    candidates: true
    variants: [{id: x, share: {max: 0.1}}, {id: y, share: {min: 0.2, max: 0.2}}]
"""


def test_shares_stay_inside_the_bounds_and_what_is_logged_is_what_is_drawn_from() -> None:
    hero = served(BOUNDED)
    decision = make(hero, options=candidates("new"))
    headline, cta = decision.choices
    assert headline.probabilities == pytest.approx([0.25, 0.35, 0.4], abs=1e-15)
    assert cta.probabilities == pytest.approx([0.1, 0.2, 0.7], abs=1e-15)
    assert_exact(decision)
    drawn = Counter(make(hero, seed=seed).choices[0].variant for seed in range(4_000))
    assert chisquare([drawn[one] for one in "abc"], [4_000 * p for p in headline.probabilities]).pvalue > 0.001


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [({"a", "b"}, [1.0]), ({"b"}, [0.6, 0.4]), ({"c"}, [0.275, 0.725]), ({"a"}, [0.6, 0.4])],
)
def test_bounds_hold_among_those_that_are_eligible(exclude: set[str], expected: list[float]) -> None:
    decision = make(served(BOUNDED), options={"headline": SlotOptions(exclude=frozenset(exclude))})
    headline = decision.choices[0]
    assert headline.probabilities == pytest.approx(expected, abs=1e-15)
    assert_exact(decision)
