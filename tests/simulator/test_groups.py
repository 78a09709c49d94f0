"""Groups of people: who is in which, and that each is judged as if it were alone, but for what was trained on all."""

import json
from collections.abc import Callable
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from policies.types import Features, Value
from simulator import By, Candidate, Evaluation, Log, evaluate, render, to_html
from simulator.groups import MAX_GROUPS, MAX_NUMBERS, MIN_ROUNDS, groups_of

MakeLog = Callable[..., Log]
LANG = By("lang", lambda context: context.get("lang"), {"es": "those who read Spanish"})


def grouped(values: list[Value | None]) -> dict[str, int]:
    """The size of each group; checks that every round is in one."""
    contexts: list[Features] = [{} if value is None else {"key": value} for value in values]
    found = list(groups_of(contexts, By("key", lambda context: context.get("key"))))
    assert np.sum([members for _, members in found], axis=0).tolist() == [1] * len(values)
    return {name: int(members.sum()) for name, members in found}


def test_every_value_of_enough_rounds_is_a_group() -> None:
    n = MIN_ROUNDS
    assert grouped(["ES"] * n + ["PT"] * (n + 1) + [None] * (n + 2)) == {"(not known)": n + 2, "PT": n + 1, "ES": n}
    assert grouped([True] * n + [False] * n) == {"yes": n, "no": n}
    assert grouped([("b", "a"), ("a", "b", "b")] * n + [()] * n) == {"a, b": 2 * n, "(none)": n}


def test_what_is_rare_is_pooled() -> None:
    n = MIN_ROUNDS
    assert grouped(["ES"] * n + ["PT"] * (n - 1) + ["MX"]) == {"ES": n, "(other: 2 values)": n}
    assert grouped(["ES"] * n + ["PT"]) == {"ES": n, "(other: 1 value)": 1}
    many = grouped([f"v{i % (MAX_GROUPS + 3)}" for i in range(n * (MAX_GROUPS + 3))])
    assert len(many) == MAX_GROUPS + 1
    assert many["(other: 3 values)"] == 3 * n


def test_few_numbers_are_groups_and_many_are_quarters() -> None:
    n = MIN_ROUNDS
    assert grouped([float(i % MAX_NUMBERS) for i in range(n * MAX_NUMBERS)]) == {f"{i}": n for i in range(MAX_NUMBERS)}
    values: list[Value | None] = [float(i % 1000) for i in range(4000)]
    quarters = {"up to 249": 1000, "above 249, up to 499": 1000, "above 499, up to 749": 1000, "above 749": 1000}
    assert grouped(values) == quarters
    assert grouped([*values, *[None] * n, *[float("inf")] * n, *["text"] * n]) == {
        **quarters,
        "(not known)": 2 * n,
        "text": n,
    }
    mostly = [0.0] * 3000 + [float(i) for i in range(1000)]
    assert grouped(mostly) == {"up to 0": 3001, "above 0": 999}
    assert grouped([1000.0] * 3000 + [float(i) for i in range(1000)]) == {"above 999": 3000, "up to 999": 1000}


def test_numbers_that_differ_late_are_still_told_apart() -> None:
    n = MIN_ROUNDS
    assert grouped([20240101.0] * n + [20240102.0] * n) == {"20240101": n, "20240102": n}
    assert grouped([0.1 + 0.2] * n + [0.3] * n) == {"0.30000000000000004": n, "0.29999999999999999": n}
    dates: list[Value | None] = [20240000.0 + i for i in range(4 * n)]
    assert grouped(dates) == {
        "up to 20240199": n,
        "above 20240199, up to 20240399": n,
        "above 20240399, up to 20240599": n,
        "above 20240599": n,
    }


@pytest.fixture
def found(make_log: MakeLog) -> Evaluation:
    return evaluate(make_log(), by=LANG)


def test_a_group_is_judged_on_its_rounds_alone(found: Evaluation, make_log: MakeLog) -> None:
    """IPS and SNIPS need nothing but the rounds: they are those of a log that holds no others."""
    log = make_log()
    assert found.by == "lang"
    assert {group.name for group in found.groups} == {"es", "en"}
    assert sum(group.n for group in found.groups) == len(log)
    for group in found.groups:
        alone = evaluate(log.where(lambda context, name=group.name: context["lang"] == name))  # type: ignore[misc]
        assert [row.name for row in group.rows] == [row.name for row in alone.rows] == [row.name for row in found.rows]
        for row, other in zip(group.rows, alone.rows, strict=True):
            assert row.n == group.n
            assert row.diagnostics == other.diagnostics
            for name in row.estimates.keys() - {"dm", "dr"}:
                assert row.estimates[name] == other.estimates[name]
    snips = {
        group.name: {row.name: row.estimates["snips"].value for row in group.rows[2:] if row.estimates}
        for group in found.groups
    }
    assert snips["es"]["fixed:b"] > snips["es"]["fixed:a"] + 0.2
    assert snips["en"]["fixed:a"] > snips["en"]["fixed:c"], "which on the whole log nobody could see"


def test_one_reward_model_serves_all_groups(found: Evaluation) -> None:
    """The direct method is a mean over rounds: the groups' means add up to everybody's."""
    for row in found.rows[1:]:
        parts = [(group.n, next(one for one in group.rows if one.name == row.name)) for group in found.groups]
        if all(one.estimates for _, one in parts):
            total = sum(n * one.estimates["dm"].value for n, one in parts)
            assert total / row.n == pytest.approx(row.estimates["dm"].value)


def test_groups_change_nothing_for_everybody(found: Evaluation, make_log: MakeLog) -> None:
    plain = evaluate(make_log())
    assert (found.rows, found.verdict, found.notes) == (plain.rows, plain.verdict, plain.notes)
    assert (plain.by, plain.groups) == ("", ())


def test_a_learner_is_trained_once_on_everybody(make_log: MakeLog) -> None:
    told: set[str] = set()
    log = make_log(1200)
    found = evaluate(log, ["linear"], by=LANG, progress=lambda what, done: told.add(what))
    assert found.trained is not None
    assert found.trained.n == 600
    assert sum(group.n for group in found.groups) == 600
    assert told == {"training linear", "fitting the reward model", "judging linear"}


def test_what_can_not_be_judged_is_refused_in_its_group_alone(make_log: MakeLog) -> None:
    rewards = make_log().rewards.copy()
    spanish = np.array([context["lang"] == "es" for context in make_log().contexts])
    rewards[spanish] = 0.0
    one = evaluate(make_log(rewards=rewards), by=LANG)
    refused = {group.name: group.refusal for group in one.groups}
    assert refused["en"] is None
    assert refused["es"] is not None
    assert "have the reward 0" in refused["es"]
    few = evaluate(make_log(), by=By("who", lambda context: "some" if context["lang"] == "es" else None))
    assert all(group.refusal is None for group in few.groups)

    eligible = np.ones((600, 3), dtype=bool)
    eligible[spanish, 2] = False
    probabilities = eligible / eligible.sum(axis=1, keepdims=True)
    log = make_log(
        eligible=eligible,
        chosen=np.where(spanish, np.arange(600) % 2, np.arange(600) % 3),
        probabilities=probabilities,
        propensities=probabilities[np.arange(600), 0],
    )
    groups = {group.name: group for group in evaluate(log, by=LANG).groups}
    (never,) = (row for row in groups["es"].rows if row.name == "fixed:c")
    assert never.refusal == "'c' could not be chosen in any round of the judged period"


def test_a_small_rest_is_refused(make_log: MakeLog) -> None:
    log = make_log(contexts=tuple({"row": float(row)} for row in range(600)))
    found = evaluate(log, by=By("who", lambda context: "one" if context["row"] == 0.0 else "others"))
    rest = found.groups[-1]
    assert (rest.name, rest.n, rest.rows) == ("(other: 1 value)", 1, ())
    assert rest.refusal == f"too few rounds: 1; at least {MIN_ROUNDS} are needed"


def test_a_late_snapshot_is_refused_in_every_group(make_log: MakeLog) -> None:
    class Uniform:
        def pmf(self, context: object, actions: tuple[object, ...]) -> np.ndarray:
            return np.full(len(actions), 1 / len(actions))

    found = evaluate(make_log(), [Candidate("late", Uniform(), judged_after=1e9)], by=LANG)
    for group in found.groups:
        assert group.rows[-1].refusal == found.row("late").refusal != ""


def test_shown(found: Evaluation) -> None:
    console = Console(width=200, record=True, file=StringIO())
    console.print(render(found))
    text, page, plain = console.export_text(), to_html(found), json.loads(json.dumps(found.to_dict()))
    for group in found.groups:
        title = f"lang: {group.name} ({group.n:,} rounds)"
        value = f"{group.rows[1].estimates['dr'].value:.4g}"
        assert title in text
        assert title in page
        assert value in text[text.index(title) :]
        assert value in page[page.index(title) :]
    assert "those who read Spanish" in text
    assert "those who read Spanish" in page
    assert "of many, some differ by chance" in text
    assert plain["by"] == "lang"
    assert [group["n"] for group in plain["groups"]] == [group.n for group in found.groups]
    assert plain["groups"][0]["rows"][1]["estimates"]["ips"]["value"] == found.groups[0].rows[1].estimates["ips"].value


def test_names_of_groups_are_text(make_log: MakeLog) -> None:
    hostile = "<script>alert(1)</script>[bold]"
    found = evaluate(make_log(), by=By(hostile, lambda context: hostile, {hostile: hostile}))
    console = Console(width=200, record=True, file=StringIO())
    console.print(render(found))
    assert f"{hostile}: {hostile} (600 rounds)" in console.export_text()
    assert "<script>alert" not in to_html(found)
