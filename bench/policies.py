"""The policies' own cost: probabilities and learning against Vowpal Wabbit's Python package on text, and snapshots.

python -m bench policies
"""

from collections.abc import Callable
from itertools import cycle, islice

import numpy as np
import vowpalwabbit

from bench import campaign
from bench.figures import Figures
from bench.harness import Comparison, compare, duration, one_after_another
from bench.registry import Benchmark
from policies.base import uniform
from policies.features import action_line, context_line
from policies.registry import PolicySpec, create, load
from policies.types import Action, RewardRange, TrainingExample
from policies.vowpal import VowpalLearner

TEXT, OURS = "pyvw on text", "elige"
SPEC = PolicySpec("squarecb")
SEGMENT = 100
"""Decisions learned in one call, as the trainer does."""
ROWS = 2_000
"""Different decisions that are asked and learned over and over."""
WIDE = 15_000
"""Decisions after which two thirds of 2^18 weights are in use."""


def measure(*, rounds: int, seconds: float) -> Figures:
    """Every comparison in turn, each with both sides in every round; one thread."""
    found = {
        "pmf, 10 variants": ("2.5", asking(10, rounds, seconds)),
        "pmf, 50 variants": ("4", asking(50, rounds, seconds)),
        f"learn {SEGMENT}, 10 variants": ("1.5", learning(10, rounds, seconds)),
    }
    kept = snapshots(rounds, seconds)
    rows = [
        (
            name,
            duration(compared.results[TEXT].p50),
            duration(compared.results[OURS].p50),
            "{0.median:.2f} ({0.low:.2f}..{0.high:.2f})".format(compared.results[OURS].ratio),
            target,
        )
        for name, (target, compared) in found.items()
    ]
    rows += [(name, "", duration(result.p50), "", "50 ms") for name, result in kept.results.items()]
    return Figures(
        title=f"policies: {SPEC}, 10 features of context, p50, {rounds} rounds of {seconds:g} s a side",
        header=("what", TEXT, OURS, "times as fast (min..max)", "target"),
        rows=tuple(rows),
        document={
            **{name: compared.document() for name, (_, compared) in found.items()},
            "snapshots": kept.document(),
        },
    )


def asking(variants: int, rounds: int, seconds: float) -> Comparison:
    """Probabilities. The text that pyvw is given was written beforehand; ours are given what a request holds."""
    rows = log_rows(ROWS, variants)
    learner = learner_of(rows[:400])
    own = text_of(learner)
    for row in rows[:400]:
        own.learn(labelled(row))
    texts = cycle([unlabelled(row) for row in rows]).__next__
    asked = cycle(rows).__next__

    def ours() -> object:
        row = asked()
        return learner.pmf(row.context, row.actions)

    return sides(lambda: own.predict(texts()), ours, rounds, seconds)


def learning(variants: int, rounds: int, seconds: float) -> Comparison:
    """Whole segments. The text that pyvw is given was written beforehand."""
    rows = log_rows(ROWS, variants)
    learner = learner_of(rows[:1])
    own = text_of(learner)
    texts = cycle([labelled(row) for row in rows])
    segments = cycle(rows)

    def text() -> None:
        for lines in islice(texts, SEGMENT):
            own.learn(lines)

    return sides(text, lambda: learner.learn(islice(segments, SEGMENT)), rounds, seconds)


def snapshots(rounds: int, seconds: float) -> Comparison:
    """A learner with 2^18 weights."""
    learner = learner_of(log_rows(WIDE, 2, wide=True))
    state = learner.dump()
    return compare(
        {
            f"dump, 2^18 weights, {len(state) / 1e6:.1f} MB": one_after_another(learner.dump),
            "load": one_after_another(lambda: load(SPEC, state, default="", reward_range=RewardRange())),
        },
        baseline="load",
        rounds=rounds,
        seconds_per_round=seconds,
    )


def sides(text: Callable[[], object], ours: Callable[[], object], rounds: int, seconds: float) -> Comparison:
    both = {TEXT: one_after_another(text), OURS: one_after_another(ours)}
    return compare(both, baseline=TEXT, rounds=rounds, seconds_per_round=seconds)


def learner_of(rows: list[TrainingExample]) -> VowpalLearner:
    learner = create(SPEC, default="", reward_range=RewardRange())
    assert isinstance(learner, VowpalLearner)
    learner.learn(rows)
    return learner


def text_of(learner: VowpalLearner) -> vowpalwabbit.Workspace:
    """What a user of the Python package would write."""
    return vowpalwabbit.Workspace(f"--quiet {learner.arguments}")


def unlabelled(row: TrainingExample) -> list[str]:
    return [context_line(row.context), *map(action_line, row.actions)]


def labelled(row: TrainingExample) -> list[str]:
    lines = unlabelled(row)
    lines[row.chosen + 1] = f"0:{-row.reward:g}:{row.propensity:g} {lines[row.chosen + 1]}"
    return lines


def log_rows(count: int, variants: int, *, wide: bool = False) -> list[TrainingExample]:
    rng = np.random.default_rng(4)
    visitors = campaign.contexts(rng)
    actions = tuple(Action(f"headline-{i}", {"words": float(i % 7), "tone": f"tone-{i % 5}"}) for i in range(variants))
    rows = []
    for i, context in enumerate(islice(visitors, count)):
        chosen = int(rng.integers(variants))
        features = {**context, **{f"own-{j}": str(i) for j in range(5)}} if wide else context
        rows.append(TrainingExample(features, actions, uniform(variants), chosen, float(rng.random() < 0.2)))
    return rows


BENCHMARK = Benchmark(
    about="probabilities and learning against pyvw on text; snapshots of 2^18 weights",
    quick=lambda: measure(rounds=6, seconds=0.4),
)
