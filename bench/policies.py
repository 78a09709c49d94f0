"""The policies' own cost: probabilities and learning against Vowpal Wabbit's Python package on text; snapshots; memory.

python -m bench policies
"""

from collections.abc import Callable
from itertools import cycle, islice

import numpy as np
import vowpalwabbit

from bench import memory
from bench.figures import Figures
from bench.harness import Comparison, compare, duration, one_after_another
from bench.logs import log_rows
from bench.registry import Benchmark
from policies.features import action_line, context_line
from policies.registry import PolicySpec, create, load
from policies.scales import Scales
from policies.types import RewardRange, TrainingExample
from policies.vowpal import VowpalLearner

TEXT, OURS = "pyvw on text", "elige"
SPEC = PolicySpec("squarecb")
FOR_MANY = (SPEC, PolicySpec("squarecb", {"gamma_scale": 1000.0}), PolicySpec("squarecb", {"max_actions": 20.0}))
"""Ways to keep the exploration of a thousand variants small."""
MANY = 1_000
SEGMENT = 100
"""Decisions learned in one call, as the trainer does."""
ROWS = 2_000
"""Different decisions that are asked and learned over and over."""
WIDE = 15_000
"""Decisions after which two thirds of 2^18 weights are in use."""


def measure(*, rounds: int, seconds: float, decisions: int, learners: int) -> Figures:
    """Every comparison in turn, each with both sides in every round, one thread; then memory."""
    found = {
        "pmf, 10 variants": ("2.5", asking(10, rounds, seconds)),
        "pmf, 50 variants": ("4", asking(50, rounds, seconds)),
        "pmf, 1,000 variants": ("", asking(MANY, rounds, seconds)),
        f"learn {SEGMENT}, 10 variants": ("1.5", learning(10, rounds, seconds)),
    }
    kept = snapshots(rounds, seconds)
    many, best = exploring_many(rounds, seconds)
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
    rows += [
        *((name, "", duration(result.p50), "", "") for name, result in many.results.items()),
        *((f"share of the best, {name}", "", f"{share:.2f}", "", "") for name, share in best.items()),
    ]
    resident = memory.rows(decisions, learners)
    rows += [(name, "", f"{used.taken / 1e6:+,.0f} MB", "", target) for name, used, target in resident]
    return Figures(
        title=f"policies: {SPEC}, 10 features of context, p50, {rounds} rounds of {seconds:g} s a side",
        header=("what", TEXT, OURS, "times as fast (min..max)", "target"),
        rows=tuple(rows),
        document={
            **{name: compared.document() for name, (_, compared) in found.items()},
            "snapshots": kept.document(),
            "many": {**many.document(), "share of the best": best},
            **{name: {"before": used.before, "after": used.after} for name, used, _ in resident},
        },
    )


def asking(variants: int, rounds: int, seconds: float) -> Comparison:
    """Probabilities. The text that pyvw is given was written beforehand; ours are given what a request holds."""
    rows = log_rows(min(ROWS, 100_000 // variants), variants)
    learner = learner_of(rows[:400])
    own = text_of(learner)
    for row in rows[:400]:
        own.learn(labelled(row, learner.scales))
    texts = cycle([unlabelled(row, learner.scales) for row in rows]).__next__
    asked = cycle(rows).__next__

    def ours() -> object:
        row = asked()
        return learner.pmf(row.context, row.actions)

    return sides(lambda: own.predict(texts()), ours, rounds, seconds)


def learning(variants: int, rounds: int, seconds: float) -> Comparison:
    """Whole segments. The text that pyvw is given was written beforehand."""
    rows = log_rows(ROWS, variants)
    learner = learner_of(rows)
    own = text_of(learner)
    texts = cycle([labelled(row, learner.scales) for row in rows])
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


def exploring_many(rounds: int, seconds: float) -> tuple[Comparison, dict[str, float]]:
    """A thousand variants: the time of a pmf, and the mean share of the best predicted one."""
    log = log_rows(500, 50)
    wide = log_rows(100, MANY)
    calls, shares = {}, {}
    for spec in FOR_MANY:
        learner = learner_of(log, spec)
        asked = cycle(wide).__next__

        def ask(learner: VowpalLearner = learner, asked: Callable[[], TrainingExample] = asked) -> object:
            row = asked()
            return learner.pmf(row.context, row.actions)

        name = f"pmf, 1,000 variants, {spec}"
        calls[name] = one_after_another(ask)
        shares[str(spec)] = float(np.mean([learner.pmf(row.context, row.actions).max() for row in wide[:50]]))
    compared = compare(calls, baseline=next(iter(calls)), rounds=rounds, seconds_per_round=seconds)
    return compared, shares


def sides(text: Callable[[], object], ours: Callable[[], object], rounds: int, seconds: float) -> Comparison:
    both = {TEXT: one_after_another(text), OURS: one_after_another(ours)}
    return compare(both, baseline=TEXT, rounds=rounds, seconds_per_round=seconds)


def learner_of(rows: list[TrainingExample], spec: PolicySpec = SPEC) -> VowpalLearner:
    learner = create(spec, default="", reward_range=RewardRange())
    assert isinstance(learner, VowpalLearner)
    learner.learn(rows)
    return learner


def text_of(learner: VowpalLearner) -> vowpalwabbit.Workspace:
    """What a user of the Python package would write."""
    return vowpalwabbit.Workspace(f"--quiet {learner.arguments}")


def unlabelled(row: TrainingExample, scales: Scales) -> list[str]:
    return [context_line(row.context, scales), *map(action_line, row.actions)]


def labelled(row: TrainingExample, scales: Scales) -> list[str]:
    lines = unlabelled(row, scales)
    lines[row.chosen + 1] = f"0:{-row.reward:g}:{row.propensity:g} {lines[row.chosen + 1]}"
    return lines


BENCHMARK = Benchmark(
    about="probabilities and learning against pyvw on text; snapshots of 2^18 weights; memory",
    quick=lambda: [measure(rounds=6, seconds=0.4, decisions=100_000, learners=1_000)],
)
