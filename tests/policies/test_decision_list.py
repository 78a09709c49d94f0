"""Rules that people write: the first that applies decides, and what is wrong is told with the rule it is in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decision_list import (
    Rule,
    RuleError,
    checked,
    decision_list,
    mentioned_by,
    mistakes,
    read_rules,
    write_rules,
)
from policies.registry import PolicyError, PolicySpec, check
from policies.types import Action, Features

OFFERS = "country == 'ES' -> price; orders > 10 -> ten 0.7, none 0.3; -> hours"
ACTIONS = tuple(map(Action, ("hours", "price", "ten", "none")))


def shares(text: str, context: Features, *ids: str) -> dict[str, float]:
    actions = [Action(one) for one in ids] or ACTIONS
    pmf = decision_list(text, default="none").pmf(context, actions)
    return {action.id: float(share) for action, share in zip(actions, pmf, strict=True) if share}


@pytest.mark.parametrize(
    ("context", "shown"),
    [
        ({"country": "ES", "orders": 20.0}, {"price": 1.0}),
        ({"country": "PT", "orders": 20.0}, {"ten": 0.7, "none": 0.3}),
        ({"country": "PT", "orders": 10.0}, {"hours": 1.0}),
        ({"orders": 20.0}, {"ten": 0.7, "none": 0.3}),
        ({}, {"hours": 1.0}),
        ({"orders": "many"}, {"hours": 1.0}),  # a test without an answer does not hold
        ({"orders": float("nan")}, {"hours": 1.0}),
    ],
)
def test_the_first_rule_that_applies_decides(context: Features, shown: dict[str, float]) -> None:
    assert shares(OFFERS, context) == pytest.approx(shown)


def test_a_rule_of_which_nothing_is_eligible_is_passed_over() -> None:
    spanish: Features = {"country": "ES", "orders": 20.0}
    assert shares(OFFERS, spanish, "ten", "none", "hours") == pytest.approx({"ten": 0.7, "none": 0.3})
    assert shares(OFFERS, spanish, "none", "hours") == {"none": 1.0}
    assert shares(OFFERS, {}, "ten", "none") == {"none": 1.0}  # the slot's default
    assert shares(OFFERS, {}, "ten", "price") == {"ten": 0.5, "price": 0.5}


def test_shares_are_proportions() -> None:
    assert shares("-> ten 3, none 1", {}) == {"ten": 0.75, "none": 0.25}
    assert shares("-> ten, none", {}) == {"ten": 0.5, "none": 0.5}
    assert shares("-> ten 5", {}) == {"ten": 1.0}


def test_permuting_the_actions_permutes_the_shares_to_the_bit() -> None:
    policy = decision_list("-> a 0.1, b 0.2, c 0.3, d 0.7, e 1e-9", default="a")
    actions = [Action(one) for one in "abcde"]
    order = [3, 0, 4, 2, 1]
    pmf = policy.pmf({}, actions)
    np.testing.assert_array_equal(policy.pmf({}, [actions[i] for i in order]), pmf[order])


@pytest.mark.parametrize(
    "text",
    [
        OFFERS,
        "-> hours",
        "country == '->;' -> price",
        'country == "it\'s -> ; \\" " -> price; -> hours',
        "country.matches(r'\\d;') -> price",
        "orders - 1 > -2 -> a-b 1, a.b 2.5, año 1e-07",
        "-> '->;,' 1, 'it\\'s \\\\ odd' 2, 'a b' 3, '' 4, '🎉' 5",
        "'ES' in countries && !(orders > 3) ? true : false -> 08",
    ],
)
def test_rules_are_written_as_they_are_read(text: str) -> None:
    assert write_rules(checked(read_rules(text))) == text
    spec = PolicySpec.parse(f"rules:{text}")
    check(spec)
    assert str(spec) == f"rules:{text}"
    assert PolicySpec.parse(str(spec)) == spec


def test_odd_ids_are_read_back() -> None:
    (rule,) = read_rules("-> '->;,' 1, 'it\\'s \\\\ odd' 2, 'a b' 3, '' 4, '🎉' 5")
    assert list(rule.show) == ["->;,", "it's \\ odd", "a b", "", "🎉"]


IDS = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["->", "a -> b", "'", "\\", "\\'", "a,b", "a;b", "0.7", "-", "\n"]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
TESTS = TEXTS.map(lambda text: "country == '" + text.replace("\\", "\\\\").replace("'", "\\'") + "'")
SHARES = st.floats(1e-300, 1e9)
SHOW = st.one_of(
    IDS.map(lambda one: {one: 1.0}), st.dictionaries(IDS, SHARES, min_size=2, max_size=4)
)  # the share of a single variant means nothing, and is not written


@given(st.lists(st.tuples(TESTS, SHOW), max_size=4), st.none() | SHOW)
def test_whatever_ids_and_texts_hold_they_are_read_back(
    tested: list[tuple[str, dict[str, float]]], rest: dict[str, float] | None
) -> None:
    rules = tuple(Rule(test, show) for test, show in tested) + ((Rule(None, rest),) if rest else ())
    if rules:
        assert read_rules(write_rules(rules)) == rules


def test_comments_and_line_breaks_of_a_file_do_not_reach_the_line() -> None:
    when = "country == 'a  // b'  // not Spain -> price;\n  && orders > 3 // yet"
    assert write_rules([Rule(when, {"ten": 1.0})]) == "country == 'a  // b' && orders > 3 -> ten"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"rule 1: '' has no '->'; expected rules such as country == 'ES' -> price; -> hours"),
        ("country == 'ES'", r"rule 1: \"country == 'ES'\" has no '->'"),
        ("-> hours;", r"rule 2: '' has no '->'"),
        ("a == 1 -> x; b == 2 y; -> z", r"rule 2: 'b == 2 y' has no '->'"),
        ("a == 'x -> y; -> z", r"rule 1, when: .* a text that does not end"),
        (
            "a == 1 -> ; -> z",
            r"rule 1, show: '' is not what to show; expected VARIANT, or VARIANT SHARE, VARIANT SHARE",
        ),
        ("-> a b", r"rule 1, show: 'a b' is not what to show"),
        ("-> año nuevo", r"rule 1, show: 'año nuevo' is not what to show; .* odd ids in single quotes"),
        ("-> a 1, a 2", r"rule 1, show, a: stands twice"),
        ("-> a 0, b 1", r"rule 1, show, a: 0 is no share; expected a number above 0"),
        ("-> a -1, b 1", r"rule 1, show, a: -1 is no share"),
        ("-> a 1e999, b 1", r"rule 1, show, a: inf is no share"),
        ("-> a 1.2.3, b 1", r"rule 1, show, a: nan is no share"),
        ("a == 1 -> x; a = 2 -> y", r"rule 2, when: 'a = 2', character 3: unexpected '='"),
        (
            "-> x; a == 1 -> y",
            r'rule 1: has no test, and is not the last; expected when: a CEL test; "true" always holds',
        ),
        ("; ".join(["a == 1 -> x"] * 101), r"101 rules; expected 1 to 100"),
    ],
)
def test_mistakes_say_in_which_rule_they_are(text: str, message: str) -> None:
    with pytest.raises(RuleError, match=f"^{message}"):
        decision_list(text, default="")
    with pytest.raises(PolicyError, match=f"^policy 'rules': {message}" if text else "needs rules such as country"):
        check(PolicySpec.parse(f"rules:{text}"))


def test_all_mistakes_are_found_each_with_its_place() -> None:
    rules = [Rule(None, {"a": 1.0}), Rule("x >", {"a": -1.0, "b": 0.0}), Rule("contry == 'ES'", {})]
    found = [mistake.place for mistake in mistakes(rules, names=["country", "x"])]
    assert found == [(0,), (1, "when"), (1, "show", "a"), (1, "show", "b"), (2, "when"), (2, "show")]
    assert "did you mean 'country'?" in str(list(mistakes(rules, names=["country", "x"]))[4])


def test_what_rules_mention() -> None:
    mentioned = mentioned_by("present(orders) && country == 'x' -> b 1, a 1; -> b")
    assert mentioned.variants == ("b", "a")
    assert mentioned.keys == ("country", "orders")
