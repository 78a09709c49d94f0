"""The rules of a campaign file: read as they are written, and every mistake told with its rule and its line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.registry import PolicySpec
from server.campaigns.file import CampaignFileError, load_campaigns
from server.campaigns.model import Campaign
from server.campaigns.policy_lines import read_policy

GOOD = """\
campaign: shop
metrics: {click: once}
reward: {window: 30m}
context: {country: text, orders: number, vip: flag, interests: texts}
policy:
  rules:
    - {when: "country == 'ES'", show: price}
    - {when: "orders > 10", show: {ten: 0.7, none: 0.3}}
    - {show: hours}
slots:
  headline:
    default: hours
    variants: [{id: hours}, {id: price}]
  offer:
    default: none
    variants: [{id: ten}, {id: none}]
"""
LINE = "country == 'ES' -> price; orders > 10 -> ten 0.7, none 0.3; -> hours"


def mistakes_in(text: str) -> list[str]:
    with pytest.raises(CampaignFileError) as caught:
        load_campaigns(text, file_name="shop.yaml")
    return [str(mistake).removeprefix("shop.yaml:") for mistake in caught.value.mistakes]


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_list_of_rules_is_the_line_that_is_logged() -> None:
    (campaign,) = load_campaigns(GOOD, file_name="shop.yaml")
    assert campaign.policy == PolicySpec("rules", {"rules": LINE})
    assert str(campaign.policy) == f"rules:{LINE}"
    assert campaign.explore_of("offer") == 0.0  # the shares are the author's own


@pytest.mark.parametrize("written", [f"rules:{LINE}", {"rules": LINE}, {"rules": {"rules": LINE}}])
def test_every_way_to_write_rules(written: Any) -> None:
    assert read_policy(written) == PolicySpec("rules", {"rules": LINE})


def test_a_campaign_keeps_its_rules() -> None:
    (campaign,) = load_campaigns(GOOD, file_name="shop.yaml")
    assert Campaign.from_document(campaign.document()) == campaign


def test_what_the_calls_bring_can_be_shown() -> None:
    text = changed("default: none\n", "default: none\n    candidates: true\n").replace("show: hours", "show: anything")
    assert load_campaigns(text, file_name="shop.yaml")


def test_any_context_can_be_read() -> None:
    text = changed("{country: text, orders: number, vip: flag, interests: texts}", "any").replace("orders", "age")
    assert load_campaigns(text, file_name="shop.yaml")


VARIANTS = "expected one of: 'hours', 'price', 'ten', 'none'"


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (
            "show: price",
            "show: prize",
            f"7:39 policy.rules[0].show: 'prize' is not a variant of any slot with this policy; {VARIANTS}",
        ),
        (
            "ten: 0.7",
            "tne: 0.7",
            f"8:36 policy.rules[1].show.tne: 'tne' is not a variant of any slot with this policy; {VARIANTS}",
        ),
        ("none: 0.3", "none: 0", "8:52 policy.rules[1].show.none: 0 is no share; expected a number above 0"),
        ("none: 0.3", 'none: "0.3"', "8:52 policy.rules[1].show.none: '0.3' is no share; expected a number above 0"),
        ("none: 0.3", "none: yes", "8:52 policy.rules[1].show.none: 'yes' is no share; expected a number above 0"),
        (
            "country == 'ES'",
            "contry == 'ES'",
            "7:14 policy.rules[0].when: \"contry == 'ES'\", character 1: no name 'contry', did you mean 'country'?; "
            "known: 'country', 'interests', 'orders', 'vip'",
        ),
        ("orders > 10", "orders >", "8:14 policy.rules[1].when: 'orders >', character 9: something is missing here"),
        (
            "orders > 10",
            "country > 10",
            "8:14 policy.rules[1].when: has no answer for some people: 'country > 10' for country='a': "
            "No such overload: the operation is not defined for the given operand types",
        ),
        (
            "orders > 10",
            "orders",
            "8:14 policy.rules[1].when: has no answer for some people: 'orders' gave 1.0 for orders=1.0: "
            "expected true or false",
        ),
        (
            "when: \"country == 'ES'\", ",
            "",
            '7:7 policy.rules[0]: has no test, and is not the last; expected when: a CEL test; "true" always holds',
        ),
        ("{show: hours}", "{}", "9:7 policy.rules[2]: has nothing to show; expected when and show, as in {when: "),
        ("{show: hours}", "hours", "9:7 policy.rules[2]: 'hours' is no rule; expected a mapping such as {when: "),
        ("show: hours", "shwo: hours", "9:8 policy.rules[2].shwo: no such field; expected one of: when, show"),
        ("show: hours", "show: [hours]", "9:8 policy.rules[2].show: ['hours'] can't be shown; expected the id of"),
        ("show: hours", "show: {}", "9:8 policy.rules[2].show: is empty; expected a variant, or variants with"),
        ('when: "orders > 10"', "when: 10", "8:14 policy.rules[1].when: 10 is no test; expected a CEL test, in"),
        ('when: "orders > 10"', "when: ~", "8:8 policy.rules[1].when: is empty; expected a CEL test"),
    ],
)
def test_a_mistake_is_told_with_its_rule(old: str, new: str, mistake: str) -> None:
    found = mistakes_in(changed(old, new))
    assert len(found) == (2 if "shwo" in new else 1)  # then there is nothing to show as well
    assert found[-1].startswith(mistake)


def test_all_mistakes_at_once() -> None:
    text = changed("ES", "ES' &&").replace("ten: 0.7", "tne: -1").replace("show: hours", "show: hourz")
    assert [line.partition(": ")[0] for line in mistakes_in(text)] == [
        "7:14 policy.rules[0].when",
        "8:36 policy.rules[1].show.tne",
        "8:41 policy.rules[1].show.tne",
        "9:14 policy.rules[2].show",
    ]


def test_no_rules_at_all() -> None:
    head, _, rest = GOOD.partition("  rules:")
    slots = rest[rest.index("slots:") :]
    assert mistakes_in(f"{head}  rules: []\n{slots}") == ["6:3 policy.rules: 0 rules; expected 1 to 100"]


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        (
            "country == 'ES' -> price; -> hourz",
            "rule 2: 'hourz' is not a variant of this slot; expected one of: 'hours'",
        ),
        ("country == 'ES' -> price; contry == '' -> hours", "rule 2: \"contry == ''\", character 1: no name 'contry'"),
        ("country -> price", "rule 1: has no answer for some people: 'country' gave 'a'"),
        ("country == 'ES' -> price 0", "policy 'rules': rule 1, show, price: 0 is no share"),
        ("country == 'ES'", "policy 'rules': rule 1: \"country == 'ES'\" has no '->'"),
    ],
)
def test_a_mistake_on_the_line_of_a_slot(line: str, mistake: str) -> None:
    head, _, rest = GOOD.partition("policy:")
    slots = rest[rest.index("slots:") :]
    text = head + slots.replace("    default: hours\n", f'    default: hours\n    policy: "rules:{line}"\n')
    (found,) = mistakes_in(text)
    assert found.startswith(f"8:13 slots.headline.policy: {mistake}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["when", "show", "x"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_anything_in_place_of_rules_is_read_or_told(value: Any) -> None:
    document = {
        "campaign": "x",
        "metrics": {"click": "once"},
        "reward": {"window": "30m"},
        "context": {"x": "text"},
        "policy": {"rules": value},
        "slots": {"a": {"candidates": True}},
    }
    read, problems = Campaign.read(document)
    assert (read is None) == bool(problems)
