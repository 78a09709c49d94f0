"""Under `es` nothing is said in English: Spanish is replaced by marks, and what a report then says in words is found.

The scenes below reach every sentence of an evaluation and of its reports.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape
from io import StringIO
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import policies
import simulator
from policies.types import Action
from simulator import By, Candidate, Evaluation, Log, Page, evaluate, evaluate_page, render
from simulator.evaluation import Group
from simulator.findings import Severity
from simulator.grids import evaluate_grid
from simulator.lift import Trial
from simulator.replay.record import Replaying
from simulator.reports.html import Report, to_html
from simulator.reports.plots import FIGURES
from tests.pseudo import Marks, words

MakeLog = Callable[..., Log]
NAMES = {
    *(
        "log",
        "variant",
        "lang",
        "es",
        "en",
        "uniform",
        "fixed",
        "epsilon",
        "weighted",
        "squarecb",
        "mine",
        "late",
        "same",
    ),
    *("IPS", "DM", "DR", "SNIPS", "BEST", "ESS", "ips", "dm", "dr", "snips", "best", "cressie", "read", "switch"),
    *("skewed", "normal", "anytime", "rejection", "progressive", "RMSE", "top", "end", "more", "visits", "own", "same"),
    *("min", "force", "Infinity"),
}
"""What has the same name in every language: policies, variants, slots, keys, estimators, intervals."""


class Even:
    """Uniform."""

    def pmf(self, context: object, actions: tuple[Action, ...]) -> np.ndarray:
        return np.full(len(actions), 1 / len(actions))


@dataclass(frozen=True)
class Always:
    """One variant."""

    place: int

    def pmf(self, context: object, actions: tuple[Action, ...]) -> np.ndarray:
        return np.eye(len(actions))[self.place]


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Marks]:
    found = Marks()
    found.install(monkeypatch, policies, simulator)
    yield found
    found.remove()


def told(evaluation: Evaluation, drawn: Iterable[str]) -> str:
    """All that people read of it: in the terminal, on the page, in the figures that are drawn."""
    console = Console(width=4_000, record=True, file=StringIO())
    console.print(render(evaluation))
    everywhere = [*evaluation.rows, *(row for view in every_view(evaluation) for group in view for row in group.rows)]
    refused = [row.refusal or "" for row in everywhere]  # of groups the JSON form alone says why
    page = re.sub(r"(?s)<style>.*?</style>|<dt>.*?</dt>", "", Report(evaluation)._repr_html_())
    hidden = re.findall(r'(?:title|aria-label)="([^"]*)"', page)
    shown = [re.sub(r"%\{[^}]*\}", " ", text) for text in figures(evaluation, drawn)]
    return unescape(re.sub(r"</?[a-z][^>]*>", " ", "\n".join([console.export_text(), page, *hidden, *shown, *refused])))


def every_view(evaluation: Evaluation) -> Iterator[tuple[Group, ...]]:
    yield evaluation.groups
    yield from (view.groups for view in evaluation.views)


def figures(evaluation: Evaluation, names: Iterable[str]) -> Iterator[str]:
    """The text in them."""
    for name in names:
        if (plot := FIGURES[name](evaluation)) is not None:
            yield plot.layout.title.text
            for axis in (plot.layout.xaxis, plot.layout.yaxis):
                yield from (axis.title.text or "", *(axis.ticktext or ()))
            for trace in plot.data:
                bar = trace.colorbar.title.text if trace.type == "heatmap" else ""
                yield from (trace.name or "", trace.hovertemplate or "", bar, *np.ravel(trace.text or ()))


def scenes(make_log: MakeLog) -> Iterator[Evaluation]:
    """Evaluations in Spanish. Together they say all that an evaluation can say."""
    log, order = make_log(), np.arange(600)
    by, ips = By("lang", lambda context: context.get("lang")), {"lang": "es", "estimators": ["ips"]}
    yield evaluate(log, ["epsilon"], lang="es", by=by, every=timedelta(hours=5), metrics={"visits": np.ones(600)})
    yield evaluate(log, [Candidate("late", Even(), judged_after=1e9), Candidate("mine", Always(0))], force=True, **ips)
    yield evaluate(log, ["epsilon"], lang="es", interval="anytime")
    yield evaluate(log, ["fixed:b"], lang="es", model="none")
    yield from winning(make_log)
    yield from controlled(log)
    yield from grouped(make_log)
    yield from of_variants(make_log)
    yield from pages(make_log)
    yield from replayed(make_log)
    yield from grids(make_log)
    for truth in (0.3, 0.9):
        known = {"truth": lambda judged, truth=truth: np.full(judged.eligible.shape, truth)}
        yield evaluate(replace(log, propensities_estimated=True), ["fixed:b"], **ips, **known)
    made = evaluate(make_log(known=False).as_of(600.0), ["fixed:b"], **ips)
    yield made
    green = [finding for finding in made.findings if finding.severity is Severity.GREEN]
    yield replace(made, provenance={"reward": "visits"}, findings=tuple(green[:1]))
    noise = np.random.default_rng(0).normal(size=600)
    yield evaluate(replace(log, rewards=noise), lang="es", estimators=["dr"])
    yield evaluate(replace(log, rewards=noise + 9.0 * (log.chosen == 1)), lang="es", estimators=["dr", "best"])
    yield evaluate(replace(log, rewards=(order % 50 == 0) * 1.0), estimators=["dr"], lang="es")


def winning(make_log: MakeLog) -> Iterator[Evaluation]:
    """One that wins, several that can't be told apart, and a log that can judge none."""
    log = make_log(3_000)
    ips: dict[str, Any] = {"lang": "es", "estimators": ["ips"]}
    yield evaluate(replace(log, rewards=(log.chosen == 1) * 1.0), ["fixed:b"], **ips)
    worse = (log.chosen != 2) | (np.arange(3_000) % 5 == 0)
    yield evaluate(replace(log, rewards=worse * 1.0), [Candidate("mine", Always(2))], **ips)
    yield evaluate(replace(log, rewards=(log.chosen != 0) * 1.0), [Candidate("same", Logging())], **ips)
    wrong = np.where(log.chosen == 0, 0.01, log.propensities)
    yield evaluate(replace(log, propensities=wrong, probabilities=None), **ips)
    rolled = np.roll(log.probabilities, 1, axis=1)
    for force in (False, True):
        other = replace(log, probabilities=rolled, propensities=rolled[np.arange(3_000), log.chosen])
        yield evaluate(other, force=force, **ips)


def controlled(log: Log) -> Iterator[Evaluation]:
    """A control group; one that is too small, everybody else too few, and one that is a single person."""
    order = np.arange(600)
    for control in (order % 2 == 0, order < 9, order >= 9):
        yield evaluate(log, trial=Trial(log.rewards, log.times, log.persons, control), lang="es", estimators=["ips"])
    one = Trial(log.rewards, log.times, np.where(order % 2, order, -1), order % 2 == 0)
    yield evaluate(log, trial=one, lang="es", estimators=["ips"])


def grouped(make_log: MakeLog) -> Iterator[Evaluation]:
    """Groups of all kinds in a log without times, some of which can't be judged."""
    n = 2_400
    log = make_log(n, times=np.arange(1.0 * n), timed=False, persons=600)
    names: list[Callable[[int], Any]] = [
        lambda i: i % 40,
        lambda i: bool(i % 2),
        lambda i: ("own",) if i % 2 else (),
        lambda i: None,
        lambda i: log.rewards[i] == 0.0,
        lambda i: "mine" if log.persons[i] == 0 else "own" if i % 3 else f"v{i % 2}",
        lambda i: "mine" if i == 1 else "own",
    ]
    groups = [By.of_rounds(f"k{place}", [name(i) for i in range(n)]) for place, name in enumerate(names)]
    yield evaluate(log, ["epsilon"], by=groups, lang="es", estimators=["ips"])
    regular = replace(log, persons=np.where(np.arange(n) < 300, 0, np.arange(n)))
    alone = By.of_rounds("k", [i < 300 for i in range(n)])
    yield evaluate(regular, by=alone, lang="es", estimators=["ips"])


def of_variants(make_log: MakeLog) -> Iterator[Evaluation]:
    """Many variants; some that could not be chosen always, or never."""
    n, k = 1_200, 60
    rng = np.random.default_rng(0)
    chosen, even = rng.integers(k, size=n), np.full((n, k), 1.0 / k)
    many = {"actions": tuple(Action(f"v{i}") for i in range(k)), "eligible": np.ones((n, k), dtype=bool)}
    chances = {"chosen": chosen, "probabilities": even, "propensities": np.full(n, 1.0 / k), "default": None}
    yield evaluate(make_log(n, **many, **chances), lang="es", estimators=["ips"])
    for default in ("a", None):
        eligible, shares = np.ones((600, 3), dtype=bool), np.full((600, 3), 1 / 3)
        eligible[:300, 2], shares[:300] = False, (0.5, 0.5, 0.0)
        picked = np.array([rng.choice(3, p=row) for row in shares])
        some = {"eligible": eligible, "probabilities": shares, "chosen": picked, "default": default}
        log = make_log(600, propensities=shares[np.arange(600), picked], **some)
        halves = By.of_rounds("k", [row < 300 for row in range(600)])
        yield evaluate(log, by=halves, lang="es", estimators=["ips"])


def pages(make_log: MakeLog) -> Iterator[Evaluation]:
    """Two slots; in one view a third, which never had a choice."""
    top, end = (make_log(contexts=({},) * 600, slot=slot) for slot in ("top", "end"))
    end = make_log(seed=1, contexts=({},) * 600, slot="end", rewards=top.rewards)
    only = make_log(
        600,
        slot="own",
        contexts=({},) * 600,
        actions=(Action("a"),),
        eligible=np.ones((600, 1), dtype=bool),
        chosen=np.zeros(600, dtype=np.intp),
        propensities=np.ones(600),
        probabilities=np.ones((600, 1)),
        rewards=top.rewards,
    )
    yield evaluate_page(Page((top, end, only)), ["top=fixed:b", "uniform"], lang="es")
    never = {"probabilities": np.where(np.arange(3) == 2, 0.0, 0.5) * np.ones((600, 1))}
    hidden = replace(
        end, chosen=np.random.default_rng(0).integers(2, size=600), propensities=np.full(600, 0.5), **never
    )
    yield evaluate_page(Page((top, hidden)), ["end=fixed:c"], lang="es", estimators=["ips"])


def replayed(make_log: MakeLog) -> Iterator[Evaluation]:
    """By every method; and what can't be replayed."""
    even = {"probabilities": np.full((600, 3), 1 / 3), "propensities": np.full(600, 1 / 3)}
    for log, how in (
        (make_log(**even), Replaying()),
        (make_log(3_000), Replaying(passes=1, every=timedelta(days=1))),
        (make_log(), Replaying(every=timedelta(days=2, hours=1))),
        (make_log(), Replaying(method="dr", passes=1)),
    ):
        yield evaluate(log, ["epsilon"], replay=how, lang="es", estimators=["ips"])
    even = {name: value[:60] for name, value in even.items()}
    few = make_log(3, rewards=np.array([0.0, 1.0, 0.0]), **{name: value[:3] for name, value in even.items()})
    rare = make_log(rewards=(np.arange(600) % 100 == 0) * 1.0)
    never = np.where(np.arange(3) == 2, 0.0, 0.5) * np.ones((600, 1))
    chosen = np.arange(600) % 2
    hidden = make_log(chosen=chosen, probabilities=never, propensities=np.full(600, 0.5))
    for log in (make_log(60, **even), few, rare, hidden):
        how = Replaying(method="rejection", passes=1)
        yield evaluate(log, ["epsilon"], replay=how, lang="es", estimators=["ips"])


def grids(make_log: MakeLog) -> Iterator[Evaluation]:
    """One combination of two, and a snapshot that has seen its judges."""
    log = make_log(1_600, persons=500)
    late = Candidate("late", Even(), judged_after=float(log.times[1_299]))
    yield evaluate_grid(log, ["epsilon:epsilon=0.1|0.9"], [late], lang="es", estimators=["ips"])


class Logging:
    """What made the log."""

    def pmf(self, context: Any, actions: tuple[Action, ...]) -> np.ndarray:
        return np.array([0.5, 0.3, 0.2] if context["lang"] == "es" else [0.2, 0.2, 0.6])


ELSEWHERE = {
    "as_served": "of snapshots, which a database holds",
    "clustered": "of logs in pieces", "clustered_about": "of logs in pieces", "sampled": "of logs in pieces",
    "few_people": "of evaluations that are kept",
    "nothing_own": "of a replay without a round of its own",
}  # fmt: skip


def test_nothing_is_said_in_english(make_log: MakeLog, marks: Marks) -> None:
    reached: set[str] = set()
    for place, evaluation in enumerate(scenes(make_log)):
        text = told(evaluation, FIGURES if place == 0 else ["learning"])
        assert words(text, NAMES) == set(), place
        reached |= marks.reached(text)
    said = ("LANGUAGES", "WORDS", "REPLAY", "NAMES", "LEGEND", "GREEN", "UNCHECKED", "LOG_CHECKS")
    every = {name for name in marks.names if name.startswith("simulator.") and ".checks." not in name}
    assert {name for name in every if any(part in name for part in said)} - reached == {
        name for name in every if name.rsplit(".", 1)[-1] in ELSEWHERE
    }


def test_the_page_is_in_its_language(make_log: MakeLog) -> None:
    page = to_html(evaluate(make_log(), ["fixed:b"], lang="es", estimators=["ips"]))
    assert page.startswith('<!doctype html>\n<html lang="es">')
    assert '"separators":",."' in page
    assert "<summary>" not in page
    assert '<th scope="col">frente a lo mostrado</th>' in page
    assert '<th scope="row">lo mostrado</th>' in page
