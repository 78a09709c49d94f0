"""The memory that learners take: while they decide and learn for long, and many of them at once.

python -m bench.memory --decisions 1000000

Each figure is that of a process of its own, started for it.
"""

import argparse
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path

from bench.children import run
from bench.figures import Figures, as_text, machine
from bench.logs import log_rows
from policies.base import Learner
from policies.registry import PolicySpec, create, load
from policies.types import Action, RewardRange, TrainingExample

SPEC = PolicySpec("auto")
"""The default, which holds all kinds of learners."""
VARIANTS = 10
ROWS = 2_000
SEGMENT = 1_000
"""Decisions between two snapshots."""
WARM = 20 * SEGMENT
"""Decisions before the first look: until then Python and Vowpal Wabbit fill what they keep for use again."""
TRAINED = 3_000
"""Decisions that each of the many learners has learned."""
DIFFERENT = 10
"""Logs that they learned them from; a server only loads, so that it does not matter who trained."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of one process, in bytes: before and after what was measured."""

    before: int
    after: int

    @property
    def taken(self) -> int:
        return self.after - self.before


def rows(decisions: int, learners: int) -> list[tuple[str, Memory, str]]:
    """What was measured, the memory, and what should hold."""
    deciding = f"resident memory, {SPEC}, {decisions:,} decisions decided and learned"
    holding = f"resident memory, {learners:,} learners {SPEC} of {VARIANTS} variants"
    return [
        (deciding, _alone(over_decisions, decisions), "flat"),
        (holding, _alone(of_learners, learners), "4 GiB"),
    ]


def _alone(measured: Callable[[int], Memory], count: int) -> Memory:
    """In a fresh process: a used one has memory to give that nobody would see taken."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one:
        return one.submit(measured, count).result()


def over_decisions(decisions: int) -> Memory:
    """One process does what server and trainer do: it answers a segment of decisions from the last snapshot, loads that
    again to learn them, and goes over to the snapshot that this gives. Every tenth decision has candidates of its own.
    """
    state = _train(log_rows(ROWS, VARIANTS))
    log = _endless()
    before = 0
    for start in range(0, WARM + decisions, SEGMENT):
        if start == WARM:
            before = resident()
        segment = list(islice(log, SEGMENT))
        served, trained = _load(state), _load(state)
        for row in segment:
            served.pmf(row.context, row.actions)
        trained.learn(segment)
        state = trained.dump()
    return Memory(before, resident())


def of_learners(count: int) -> Memory:
    """So many trained learners, as a server holds them: loaded, each asked once, so that its variants are parsed."""
    logs = [log_rows(TRAINED, VARIANTS, seed=seed) for seed in range(min(DIFFERENT, count))]
    states = [_train(log) for log in logs]
    before = resident()
    held = []
    for i, log in zip(range(count), cycle(logs), strict=False):
        learner = _load(states[i % len(states)])
        learner.pmf(log[i % TRAINED].context, log[0].actions)
        held.append(learner)
    return Memory(before, resident())


def resident() -> int:
    """Bytes of this process that are in memory now. Linux only."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _endless() -> Iterator[TrainingExample]:
    for i, row in enumerate(cycle(log_rows(ROWS, VARIANTS))):
        context = {**row.context, "days_away": float(i)}  # no two decisions are the same text
        actions = tuple(Action(f"{i}-{j}") for j in range(VARIANTS)) if i % 10 == 0 else row.actions
        yield replace(row, context=context, actions=actions)


def _train(log: list[TrainingExample]) -> bytes:
    learner = create(SPEC, default="", reward_range=RewardRange())
    assert isinstance(learner, Learner)
    learner.learn(log)
    return learner.dump()


def _load(state: bytes) -> Learner:
    return load(SPEC, state, default="", reward_range=RewardRange())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description="The memory that learners take.")
    parser.add_argument("--decisions", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--learners", type=int, default=1_000, help="default: %(default)s")
    options = parser.parse_args(arguments)
    print("{cores} cores, Python {python}\n".format(**machine()), flush=True)
    print(as_text(figures(options.decisions, options.learners)))


def figures(decisions: int, learners: int) -> Figures:
    found = rows(decisions, learners)
    return Figures(
        title=f"memory: {SPEC}, 10 features of context, each in a process of its own",
        header=("what", "before", "after", "taken", "target"),
        rows=tuple(
            (name, megabytes(memory.before), megabytes(memory.after), megabytes(memory.taken), target)
            for name, memory, target in found
        ),
        document={name: {"before": memory.before, "after": memory.after} for name, memory, _ in found},
    )


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


if __name__ == "__main__":
    run(main)
