"""The campaign as models: defaults, what it answers, and exact round trips through what the database keeps."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from policies.registry import PolicySpec
from policies.types import RewardRange
from server.campaigns.file import load_campaigns
from server.campaigns.model import DEFAULT_EXPLORE, DEFAULT_POLICY, Campaign, Reward, Shares, Slot, Variant
from server.campaigns.problems import PLANNED
from server.campaigns.schema import json_schema, schema_text
from server.durations import PATTERN, iso_duration, parse_duration
from server.errors import InvalidCampaign

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "campaign-file.md").read_text(encoding="utf-8")


def document(**changes: Any) -> dict[str, Any]:
    """The smallest campaign, as a caller would write it, with some fields changed."""
    slots = {"headline": {"default": "a", "variants": [{"id": "a"}, {"id": "b"}]}}
    return {"campaign": "first", "metrics": {"click": "once"}, "reward": {"window": "30m"}, "slots": slots, **changes}


def test_defaults() -> None:
    campaign = Campaign.from_document(document())
    assert campaign.policy_of("headline") == DEFAULT_POLICY == PolicySpec("auto")
    assert campaign.explore_of("headline") == DEFAULT_EXPLORE
    assert campaign.context == {}
    assert campaign.description == ""
    assert campaign.reward.window == timedelta(minutes=30)
    assert campaign.reward.value == "click"
    assert campaign.reward.default == 0.0
    assert campaign.reward_range == RewardRange(0.0, 1.0)
    assert campaign.slots["headline"].variants == (Variant(id="a"), Variant(id="b"))
    assert not campaign.slots["headline"].candidates


@pytest.mark.parametrize(
    ("written", "read"),
    [([], ()), (["observed"], ("observed",)), (["observed", "drawn"], ("drawn", "observed"))],
)
def test_what_is_learned_from(written: list[str], read: tuple[str, ...]) -> None:
    assert Campaign.from_document(document()).learn_from == ("drawn",)
    campaign = Campaign.from_document(document(learn_from=written))
    assert campaign.learn_from == read
    assert Campaign.from_document(campaign.document()) == campaign


@pytest.mark.parametrize("wrong", ["drawn", ["drawn", "drawn"], ["all"], None, {"drawn": True}, [["drawn"]]])
def test_what_can_not_be_learned_from(wrong: Any) -> None:
    with pytest.raises(InvalidCampaign, match=r"learn_from: .* expected a list out of drawn and observed"):
        Campaign.from_document(document(learn_from=wrong))


def test_how_long_the_log_keeps_a_decision() -> None:
    assert Campaign.from_document(document()).retention == timedelta(days=400)
    campaign = Campaign.from_document(document(retention="90d"))
    assert campaign.retention == timedelta(days=90)
    assert campaign.document()["retention"] == "P90D"
    assert Campaign.from_document(campaign.document()) == campaign


@pytest.mark.parametrize("wrong", ["forever", "3651d", "0s", 400, None, "P1Y"])
def test_what_can_not_be_a_retention(wrong: Any) -> None:
    with pytest.raises(InvalidCampaign, match=r"retention: .* expected a duration such as 90d, 400d or P400D"):
        Campaign.from_document(document(retention=wrong))


@pytest.mark.parametrize(
    ("changes", "together"),
    [
        ({"retention": "1d"}, "P1DT30M"),
        ({"retention": "1d30m"}, "P1DT30M"),
        ({"retention": "2d", "activation_ttl": "3d"}, "P3DT30M"),
        ({"retention": "91d", "reward": {"window": "90d"}}, "P91D"),
    ],
)
def test_a_decision_does_not_go_before_its_reward_is_known(changes: dict[str, Any], together: str) -> None:
    expected = f"retention: '{changes['retention']}' ends before rewards are known; expected more than .*, {together}"
    with pytest.raises(InvalidCampaign, match=expected):
        Campaign.from_document(document(**changes))
    assert Campaign.from_document(document(**{**changes, "retention": "92d"})).retention == timedelta(days=92)


def test_the_formula_is_compiled_once() -> None:
    reward = Campaign.from_document(document()).reward
    assert reward.formula is reward.formula
    assert reward.formula.number({"click": 1.0}) == 1.0


def test_policy_and_explore_of_a_slot() -> None:
    slot = {"default": "a", "variants": [{"id": "a"}]}
    slots = {"one": slot, "two": {**slot, "policy": "fixed:a"}}
    campaign = Campaign.from_document(document(slots=slots, policy="epsilon:epsilon=0.1"))
    assert campaign.policy_of("one") == PolicySpec("epsilon", {"epsilon": 0.1})
    assert campaign.policy_of("two") == PolicySpec("fixed", {"variant": "a"})
    assert campaign.explore_of("one") == DEFAULT_EXPLORE
    assert campaign.explore_of("two") == 0.0  # whoever fixes a variant wants that variant
    assert Campaign.from_document(document(slots=slots, explore=0.3)).explore_of("two") == 0.3


@pytest.mark.parametrize(
    ("written", "spec"),
    [
        ("uniform", PolicySpec("uniform")),
        ({"uniform": None}, PolicySpec("uniform")),
        ({"fixed": "b"}, PolicySpec("fixed", {"variant": "b"})),
        ("fixed", PolicySpec("fixed")),
        ({"epsilon": {"epsilon": 1}}, PolicySpec("epsilon", {"epsilon": 1.0})),
        (
            "epsilon:epsilon=1,interactions=quadratic",
            PolicySpec("epsilon", {"epsilon": 1.0, "interactions": "quadratic"}),
        ),
        ({"weighted": {"a": 1, "b": 3}}, PolicySpec("weighted", {"a": 1.0, "b": 3.0})),
        ("weighted:a=1,b=3", PolicySpec("weighted", {"a": 1.0, "b": 3.0})),
    ],
)
def test_a_policy_as_text_or_mapping(written: Any, spec: PolicySpec) -> None:
    campaign = Campaign.from_document(document(policy=written))
    assert campaign.policy == spec
    assert Campaign.from_document(campaign.document()).policy == spec


def test_a_campaign_policy_names_a_variant_of_some_slot() -> None:
    slots: dict[str, Any] = {
        "one": {"default": "a", "variants": [{"id": "a"}]},
        "two": {"default": "b", "variants": [{"id": "b"}]},
    }
    assert Campaign.from_document(document(slots=slots, policy={"fixed": "b"})).policy.name == "fixed"
    with pytest.raises(InvalidCampaign, match=r"policy: 'c' is not a variant of any slot with this policy; .*'a', 'b'"):
        Campaign.from_document(document(slots=slots, policy={"fixed": "c"}))
    slots["two"]["policy"] = "uniform"
    with pytest.raises(InvalidCampaign, match=r"policy: 'b' is not a variant of any slot with this policy; .*'a'$"):
        Campaign.from_document(document(slots=slots, policy={"fixed": "b"}))
    with_candidates = {**slots, "three": {"candidates": True}}
    assert Campaign.from_document(document(slots=with_candidates, policy={"fixed": "c"})).policy.name == "fixed"


def test_an_invalid_document_tells_everything() -> None:
    with pytest.raises(InvalidCampaign) as caught:
        Campaign.from_document(document(campaign="A", explore=2, metrics={"a": "once", "b": "once"}))
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "campaign",
        "reward.value",
        "explore",
    ]


def test_no_campaign_exists_that_breaks_a_rule() -> None:
    slot = Slot(default="z", variants=(Variant(id="a"),))
    with pytest.raises(ValidationError, match=r"slots\.headline\.default: 'z' is not a variant of this slot"):
        Campaign(
            campaign="x",
            metrics={"click": "once"},
            reward=Reward(window=timedelta(hours=1), value="click"),
            slots={"headline": slot},
        )


def test_frozen() -> None:
    campaign = Campaign.from_document(document())
    with pytest.raises(ValidationError, match="frozen"):
        campaign.explore = 0.5
    with pytest.raises(ValidationError, match="frozen"):
        campaign.slots["headline"].variants[0].id = "z"


NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
IDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30).filter(
    lambda text: text == text.strip()
)
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), NUMBERS, PLAIN),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(PLAIN.filter(bool), inner, max_size=3)),
    max_leaves=6,
)
FEATURES = st.dictionaries(
    PLAIN.filter(bool), st.one_of(PLAIN, NUMBERS, st.booleans(), st.integers(), st.lists(PLAIN, max_size=3)), max_size=3
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    slots = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
        content, features = draw(st.dictionaries(PLAIN.filter(bool), JSON, max_size=2)), draw(FEATURES)
        policy = draw(st.sampled_from([None, "squarecb", {"fixed": ids[-1]}, {"weighted": dict.fromkeys(ids, 2)}]))
        slots[name] = {
            "default": ids[0],
            "variants": [{"id": one, "content": content, "features": features} for one in ids],
            "candidates": draw(st.booleans()),
            "policy": policy,
        }
    seconds = draw(st.integers(1, 90 * 86_400))
    return document(
        campaign=draw(NAMES),
        description=draw(PLAIN),
        explore=draw(st.one_of(st.none(), st.floats(0, 1))),
        reward={"window": f"{seconds}s", "range": [-1, draw(st.floats(1, 1e9))], "value": "click"},
        context=draw(st.sampled_from(["any", {}, {"country": "text", "orders": "number", "ok": "flag", "l": "texts"}])),
        slots=slots,
    )


@given(documents())
def test_a_document_comes_back_exactly_through_json(written: dict[str, Any]) -> None:
    campaign = Campaign.from_document(written)
    kept = campaign.document()
    through_json = orjson.loads(orjson.dumps(kept))
    assert through_json == kept
    again = Campaign.from_document(through_json)
    assert again == campaign
    assert again.document() == kept
    assert list(again.slots) == list(written["slots"])
    for slot in campaign.slots.values():
        assert all(not isinstance(value, list) for one in slot.variants for value in one.features.values())


@given(st.integers(1, 90 * 86_400))
def test_durations_come_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(iso_duration(duration)) == duration
    assert parse_duration(f"{seconds}s") == duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30m", timedelta(minutes=30)),
        ("1h30m", timedelta(minutes=90)),
        ("3d", timedelta(days=3)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("PT30M", timedelta(minutes=30)),
        ("P1DT2H", timedelta(hours=26)),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration
    assert re.fullmatch(PATTERN, text)
    assert parse_duration(iso_duration(duration)) == duration


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "30", "30 m", "m", "1.5h", "-1h", "30m1h", "PT30m", "1H", "٣m"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; expected one such as 30m"):
        parse_duration(text)


def test_the_published_schema_is_the_models() -> None:
    assert (ROOT / "docs" / "campaign.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_knows_every_field_and_no_other() -> None:
    schema = json_schema()
    parts = [(Campaign, schema), *((model, schema["$defs"][model.__name__]) for model in (Reward, Slot, Variant))]
    for model, part in parts:
        assert part["additionalProperties"] is False
        assert list(part["properties"]) == list(model.model_fields)
    assert schema["required"] == ["campaign", "metrics", "reward", "slots"]
    assert schema["$defs"]["Reward"]["required"] == ["window"]
    assert json.loads(schema_text()) == schema


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("model", [Campaign, Reward, Slot, Variant])
def test_every_field_is_in_the_docs(model: type[Campaign]) -> None:
    rows = re.findall(r"^\| `(\w+)` \|", section(model.__name__), flags=re.MULTILINE)
    assert rows == list(model.model_fields)


def test_every_planned_field_is_in_the_docs() -> None:
    for name in frozenset().union(*PLANNED.values()):
        assert f"`{name}`" in PAGE, name


BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_block_in_the_docs_loads(block: str) -> None:
    assert load_campaigns(block, file_name="campaign-file.md")


def test_every_field_has_an_example_in_the_docs() -> None:
    assert len(BLOCKS) >= 8
    for name in {
        *Campaign.model_fields,
        *Reward.model_fields,
        *Slot.model_fields,
        *Variant.model_fields,
        *Shares.model_fields,
    } - {"description"}:
        assert any(re.search(rf"\b{name}:", block) for block in BLOCKS), name
