"""Campaign files: everything wrong is told at once, each with its line; what is right is read exactly."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.registry import MENU
from server.campaigns.file import MAX_FILE, CampaignFileError, Mistake, load_campaigns
from server.campaigns.model import Campaign
from server.errors import InvalidCampaign

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))

GOOD = """\
campaign: hero
metrics: {click: once, revenue: sum}
reward: {window: 30m, range: [0, 10], value: "click + 0.1 * revenue"}
context: {country: text}
slots:
  headline:
    default: hours
    variants:
      - {id: hours, content: {text: Hola}}
      - {id: price, features: {percent: 3}}
"""


def mistakes_in(text: str) -> list[str]:
    with pytest.raises(CampaignFileError) as caught:
        load_campaigns(text, file_name="hero.yaml")
    assert str(caught.value) == "\n".join(map(str, caught.value.mistakes))
    return [str(mistake).removeprefix("hero.yaml:") for mistake in caught.value.mistakes]


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert text.count(old) == 1, f"{old!r} does not stand once in the text"
    return text.replace(old, new)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_loads(path: Path) -> None:
    campaigns = load_campaigns(path.read_text(encoding="utf-8"), file_name=path.name)
    assert [campaign.campaign for campaign in campaigns] == [path.stem]


def test_there_are_examples() -> None:
    assert {path.name for path in EXAMPLES} >= {"first.yaml", "home-hero.yaml", "newsletter.yaml"}


def test_several_campaigns_in_one_file() -> None:
    text = f"---\n{GOOD}---\n{changed('campaign: hero', 'campaign: other')}---\n"
    assert [campaign.campaign for campaign in load_campaigns(text, file_name="x")] == ["hero", "other"]


def test_yaml_1_2() -> None:
    text = (
        GOOD
        + '      - {id: no, content: {at: 22:00, day: 2026-01-31, n: 012, o: 0o14, x: 0x1F, e: 1e3, on: yes, "0": ~}}\n'
    )
    (campaign,) = load_campaigns(text, file_name="x")
    variant = campaign.slots["headline"].variants[2]
    assert variant.id == "no"
    assert variant.content == {
        "at": "22:00",
        "day": "2026-01-31",
        "n": 12,
        "o": 12,
        "x": 31,
        "e": 1000.0,
        "on": "yes",
        "0": None,
    }


def test_a_directive_brings_no_older_yaml_back() -> None:
    text = changed("{text: Hola}", "{on: yes, off: no, real: true}")
    (campaign,) = load_campaigns(f"%YAML 1.1\n---\n{text}", file_name="x")
    assert campaign.slots["headline"].variants[0].content == {"on": "yes", "off": "no", "real": True}


def test_aliases_and_block_texts() -> None:
    text = GOOD + "      - id: long\n        content: &c\n          text: |\n            one\n            two\n"
    text += "      - {id: same, content: *c}\n"
    (campaign,) = load_campaigns(text, file_name="x")
    assert campaign.slots["headline"].variants[3].content == {"text": "one\ntwo\n"}


def test_all_mistakes_at_once_each_with_its_line() -> None:
    text = """\
campaign: Hero
metrics: {click: once, revenue: total, min: sum}
reward:
  window: 30
  default: 3
  value: click + revenu
exlpore: 0.1
sticky: 1d
context: {country: text, a.b: number, age: int}
policy: epsilon:epsilon=3
slots:
  headline:
    default: hourz
    policy: {weighted: {hours: 1, x: 3}}
    variants:
      - {id: hours, content: {text: a, n: [1, .nan]}, when: "1 > 0"}
      - {id: hours, contnet: {}}
      - {id: 10, features: {tone: [1]}}
      - {content: {}}
  cta: {}
  offer:
    default: a
    default: b
    candidates: 1
    variants: {a: 1}
  send_time: {days: 3, from: "08:00"}
---
campaign: other
metrics: {click: once, buy: once}
reward: {window: 91d}
explore: 1.5
slots: {a: {candidates: true, default: x, policy: aoto}}
"""
    word = (
        "letters, digits and underscores, not beginning with a digit or '__', at most 63, "
        "and no word or function of the formula language"
    )
    name = "lower-case letters, digits, hyphens and underscores, beginning with a letter or digit, at most 63"
    duration = "a duration such as 30m, 1h30m, 3d or PT30M, from 1s to 90d"
    assert mistakes_in(text) == [
        f"1:11 campaign: 'Hero' is not a name; expected {name}",
        "2:33 metrics.revenue: 'total' is unknown; expected 'once', 'sum', 'max', 'last' or 'cancels'",
        f"2:40 metrics.min: 'min' can't be a name in formulas; expected {word}",
        f"4:11 reward.window: 30 is not a duration; expected {duration}",
        "5:12 reward.default: 3 is outside the range of the reward; expected a number inside the range, from 0 to 1",
        "6:10 reward.value: 'click + revenu', character 9: no name 'revenu', did you mean 'revenue'?; "
        "known: 'click', 'min', 'revenue'",
        "7:1 exlpore: no such field; expected 'explore'",
        "8:1 sticky: not supported yet",
        f"9:26 context['a.b']: 'a.b' can't be a name in formulas; expected {word}",
        "9:44 context.age: 'int' is unknown; expected 'text', 'number', 'flag' or 'texts'",
        "10:9 policy: policy 'epsilon', epsilon: 3.0 is not a number from 0 to 1",
        "13:14 slots.headline.default: 'hourz' is not a variant of this slot; expected one of: 'hours'",
        "14:5 slots.headline.policy: 'x' is not a variant of this slot; expected one of: 'hours'",
        "16:47 slots.headline.variants[0].content.n[1]: nan can't be kept exactly in JSON; "
        "expected a finite number, whole ones up to 9007199254740992, or text",
        "16:55 slots.headline.variants[0].when: not supported yet",
        "17:14 slots.headline.variants[1].id: 'hours' is the id of an earlier variant; expected another id",
        "17:21 slots.headline.variants[1].contnet: no such field; expected 'content'",
        '18:14 slots.headline.variants[2].id: 10 is a number; expected text, in quotes: "10"',
        "18:29 slots.headline.variants[2].features.tone: [1] can't be a feature; "
        "expected text, a finite number, true or false, or a list of texts",
        "19:9 slots.headline.variants[3].id: is missing; expected a text",
        "20:3 slots.cta: has nothing to show; expected variants, or candidates: true",
        "23:5 slots.offer.default: is written twice, first in line 22; expected it once",
        "24:17 slots.offer.candidates: 1 is a number; expected true or false",
        "25:5 slots.offer.variants: {'a': 1} is a mapping; expected a list",
        "26:15 slots.send_time.days: not supported yet",
        "26:24 slots.send_time.from: not supported yet",
        "30:1 reward.value: is missing; expected a formula, since there are several metrics",
        f"30:18 reward.window: '91d' is out of bounds; expected {duration}",
        "31:10 explore: 1.5 is no share; expected a number from 0 to 1",
        "32:40 slots.a.default: 'x' can't be the default of a slot without variants of its own",
        "32:51 slots.a.policy: no policy 'aoto'; did you mean 'auto'? Known: " + ", ".join(MENU),
    ]


def test_what_cancels_is_not_earned() -> None:
    text = """\
campaign: mail
metrics: {click: once, bounce: cancels}
reward: {window: 3d%s}
slots: {subject: {candidates: true}}
"""
    (campaign,) = load_campaigns(text % "", file_name="f.yaml")
    assert campaign.reward.value == "click"
    assert (campaign.counted_metrics, campaign.cancels("bounce")) == ({"click": "once"}, True)
    assert mistakes_in(text % ', value: "click - bounce"') == [
        "3:29 reward.value: uses 'bounce', which cancels: such a decision earns nothing; expected 'click'"
    ]
    alone = text.replace("click: once, ", "") % ""
    assert mistakes_in(alone) == [
        "2:1 metrics: hold only what cancels; expected also what a decision earns, as in click: once"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1 no campaign in this file; expected campaign: NAME"),
        ("---\n---\n", "1:1 no campaign in this file; expected campaign: NAME"),
        ("- a\n", "1:1 not a campaign; expected fields with values, as in campaign: home-hero"),
        ("a: [1", "1:6 not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'"),
        ("a: *b", "1:4 not YAML: found undefined alias 'b'"),
        ("a: 1\nb: \x01", "2:4 not YAML: the character '\\x01' can't stand in it"),
        ("a: '\ud800'", "1:5 not YAML: the character '\\ud800' can't stand in it"),
        ("[" * 5_000, "1:1 lists or mappings too deep inside each other; expected at most 50"),
        (GOOD + "x: &x [*x]\n", "1:1 lists or mappings too deep inside each other; expected at most 50"),
        (" " * (MAX_FILE + 1), "1:1 the file has 500001 characters; expected at most 500000"),
        (
            "a: &a [" + "x," * 1_000 + "]\nb: &b [" + "*a," * 1_000 + "]\nc: [" + "*b," * 1_000 + "]\n",
            "1:1 too many values in one campaign; expected at most 50000",
        ),
    ],
)
def test_what_can_not_be_read_is_one_mistake(text: str, expected: str) -> None:
    assert mistakes_in(text) == [expected]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("campaign: hero\n", "", "1:1 campaign: is missing; expected a name such as home-hero"),
        ("campaign: hero\n", "campaign:\n", "1:1 campaign: is empty; expected text"),
        ("campaign: hero", "campaign: 7", '1:11 campaign: 7 is a number; expected text, in quotes: "7"'),
        ("campaign: hero", f"campaign: {'h' * 64}", "1:11 campaign: 'hhhh.*' is not a name; .* at most 63"),
        ("{click: once, revenue: sum}", "{}", "2:1 metrics: is empty; expected at least 1"),
        ("{click: once, revenue: sum}", "click", "2:10 metrics: 'click' is text; expected names with values"),
        ("revenue: sum}", "revenue: sum, cost: sum}", "2:38 metrics.cost: 'cost' is kept for the cost of variants"),
        (
            "30m",
            "half an hour",
            "3:18 reward.window: 'half an hour' is not a duration; expected a duration such as 30m",
        ),
        ("30m", "0s", "3:18 reward.window: '0s' is out of bounds"),
        ("[0, 10]", "[10, 0]", "3:23 reward.range: \\[10, 0\\] is no range; expected two numbers, the lower first"),
        ("[0, 10]", "[0, .inf]", "3:23 reward.range: \\[0, inf\\] is no range"),
        ("[0, 10]", "[0, true]", "3:23 reward.range: \\[0, True\\] is no range"),
        ("[0, 10]", "[0, 10], default: .nan", "3:48 reward.default: nan is"),
        (
            "click + 0.1 * revenue",
            "click / revenue",
            "3:46 reward.value: has no answer for some outcomes: .*gave nan for",
        ),
        ("click + 0.1 * revenue", "1 / (click - 1)", "3:46 reward.value: .* gave -?inf for click=1.0"),
        ("click + 0.1 * revenue", "1 / (click - revenue - 1)", "3:46 .* gave inf for click=1.0, revenue=0.0"),
        ("click + 0.1 * revenue", "click > 0", "3:46 reward.value: .* gave False for click=0.0"),
        ("click + 0.1 * revenue", "click +", "3:46 reward.value: 'click \\+', character 8: something is missing"),
        ("{country: text}", "some", "4:10 context: 'some' is unknown; expected 'any'"),
        ("{country: text}", "[country]", "4:1 context: \\['country'\\] is a list; expected names with values"),
        ("{country: text}", "{while: text}", "4:11 context.while: 'while' can't be a name in formulas"),
        ("  headline:", "  Headline:", "6:3 slots.Headline: 'Headline' is not a name"),
        ("    default: hours\n", "", "6:3 slots.headline: has no default; expected default: one of 'hours', 'price'"),
        (
            "default: hours",
            "default: hours\n    colour: red",
            "8:5 slots.headline.colour: no such field; expected one of",
        ),
        (
            "default: hours",
            "default: hours\n    policy: fixed:x",
            "8:13 slots.headline.policy: 'x' is not a variant of",
        ),
        (
            "default: hours",
            "default: hours\n    policy: squareb",
            "8:13 .*no policy 'squareb'; did you mean 'squarecb'",
        ),
        ("default: hours", "default: hours\n    policy: {a: 1, b: 2}", "8:5 .*is not a policy; expected one such as"),
        ("default: hours", "default: hours\n    policy: {epsilon: {epsilon: [1]}}", "8:5 .*neither a number nor text"),
        ("default: hours", "default: hours\n    policy: {epsilon: 3}", "8:5 .*3 is no parameter; expected {epsilon: {"),
        ("context:", "policy: fixed:x\ncontext:", "4:9 policy: 'x' is not a variant of any slot with this policy"),
        ("{id: hours,", "{id: ' hours',", "9:14 slots.headline.variants\\[0\\].id: ' hours' is not an id"),
        ("{id: hours,", '{id: "a\\nb",', "9:14 .*is not an id; expected text without control characters"),
        ("{id: hours,", f"{{id: {'x' * 129},", "9:14 .*has 129 characters; expected 1 to 128"),
        ("{text: Hola}", "Hola", "9:30 .*content: 'Hola' can't be content; expected names with values"),
        ("{text: Hola}", "{n: 9007199254740993}", "9:34 .*content.n: 9007199254740993 can't be kept exactly"),
        ("{text: Hola}", '{n: "\\ud800"}', "9:34 .*content.n: .*half of a surrogate pair"),
        ("{text: Hola}", "{'': 1}", "9:35 .*content\\[''\\]: .*empty name"),
        ("{text: Hola}", "!secret x", "9:30 .*has the tag '!secret'; expected no tag"),
        ("{text: Hola}", "{<<: {a: 1}}", "9:31 .*merge key"),
        ("{text: Hola}", "{[a]: 1}", "9:31 .*has a name that is a list"),
        ("{percent: 3}", "{percent: .inf}", "10:41 .*features.percent: inf can't be a feature"),
        ("{percent: 3}", "[percent]", "10:21 .*features: \\['percent'\\] can't be features"),
    ],
)
def test_one_mistake(old: str, new: str, expected: str) -> None:
    found = mistakes_in(changed(old, new))
    assert any(re.match(expected, mistake) for mistake in found), found


def test_a_name_used_twice_in_a_file() -> None:
    assert mistakes_in(GOOD + "---\n" + GOOD) == [
        "12:11 campaign: 'hero' is also the campaign of line 1; expected another name"
    ]


def test_mistakes_of_readable_documents_are_told_before_one_that_is_not() -> None:
    found = mistakes_in(changed("campaign: hero", "campaign: Hero") + "---\na: [1")
    assert [mistake.partition(" ")[0] for mistake in found] == ["1:11", "12:6"]


def test_a_mistake_in_parts() -> None:
    with pytest.raises(InvalidCampaign) as caught:
        load_campaigns(changed("default: hours", "default: hourz"), file_name="hero.yaml")
    assert isinstance(caught.value, CampaignFileError)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.mistakes == [
        Mistake(
            file="hero.yaml",
            line=7,
            column=14,
            path="slots.headline.default",
            value="'hourz'",
            problem="is not a variant of this slot",
            expected="one of: 'hours', 'price'",
        )
    ]


LINES = st.sampled_from(
    [
        *GOOD.splitlines(),
        "    policy: fixed:x",
        "    default: [1]",
        "  ? a",
        "  - b",
        "slots: 1",
        "reward: x",
        "metrics: [a]",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(LINES, max_size=12).map("\n".join)))
def test_any_text_gives_campaigns_or_mistakes(text: str) -> None:
    campaigns: list[Campaign] = []
    mistakes: list[Mistake] = []
    try:
        campaigns = load_campaigns(text, file_name="x")
    except CampaignFileError as error:
        mistakes = error.mistakes
    assert bool(campaigns) != bool(mistakes)
    assert all(mistake.line >= 1 and mistake.column >= 1 for mistake in mistakes)


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=5,
)
PLACES = st.sampled_from(
    [
        *[(name,) for name in Campaign.model_fields],
        *[("reward", name) for name in ("window", "default", "range", "value")],
        ("slots", "headline"),
        *[("slots", "headline", name) for name in ("default", "variants", "candidates", "policy")],
        ("slots", "headline", "variants", 0),
        *[("slots", "headline", "variants", 0, name) for name in ("id", "content", "features")],
        ("policy", "epsilon"),
        ("policy", "weighted"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(PLACES, ANYTHING)
def test_any_value_anywhere_gives_a_campaign_or_problems(path: tuple[str | int, ...], value: Any) -> None:
    (campaign,) = load_campaigns(GOOD, file_name="x")
    document = campaign.document()
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    read, problems = Campaign.read(document)
    assert (read is None) == bool(problems)
    if read:
        assert Campaign.from_document(read.document()) == read


@pytest.mark.parametrize(
    ("shares", "candidates", "mistake"),
    [
        (
            ("{min: 0.6}", "{min: 0.5}"),
            False,
            "9:5 slots.headline.variants: the minimum shares sum to 1.1; expected at most 1",
        ),
        (
            ("{min: 0.6}", "{min: 0.5}"),
            True,
            "9:5 slots.headline.variants: the minimum shares sum to 1.1; expected at most 1",
        ),
        (
            ("{max: 0.6}", "{max: 0.3}"),
            False,
            "9:5 slots.headline.variants: the maximum shares of all variants sum to 0.9; expected at least 1",
        ),
        (
            ("{min: 0.3, max: 0.2}", "{}"),
            False,
            "10:21 slots.headline.variants[0].share: its min 0.3 is above its max 0.2; expected min up to max",
        ),
        (("{max: 1.2}", "{}"), False, "10:34 slots.headline.variants[0].share.max: 1.2 is no share; expected a number"),
        (("{mx: 1}", "{}"), False, "10:29 slots.headline.variants[0].share.mx: no such field; expected 'max'"),
        (("0.3", "{}"), False, "10:28 slots.headline.variants[0].share: 0.3 is a number; expected fields with values"),
    ],
)
def test_shares_that_can_not_be(shares: tuple[str, str], candidates: bool, mistake: str) -> None:
    (found,) = mistakes_in(with_shares(*shares, candidates=candidates))
    assert found.startswith(mistake)


def with_shares(hours: str, price: str, *, candidates: bool = False) -> str:
    text = GOOD.replace("    variants:\n", f"    candidates: {str(candidates).lower()}\n    variants:\n")
    return text.replace("content: {text: Hola}", f"share: {hours}").replace("features: {percent: 3}", f"share: {price}")


def test_shares_are_read() -> None:
    (campaign,) = load_campaigns(with_shares("{min: 0.1, max: 0.5}", "{max: 1}"), file_name="x")
    assert campaign.bounds_of("headline") == {"hours": (0.1, 0.5), "price": (0.0, 1.0)}
    assert Campaign.from_document(campaign.document()) == campaign
    (campaign,) = load_campaigns(GOOD, file_name="x")
    assert campaign.bounds_of("headline") == {}
    # a candidate can take what is left
    assert load_campaigns(with_shares("{max: 0.3}", "{max: 0.3}", candidates=True), file_name="x")
    assert load_campaigns(with_shares("{min: 0.7, max: 0.7}", "{min: 0.3, max: 0.3}"), file_name="x")
