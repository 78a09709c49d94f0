"""Judging copies nothing that is large, leaves no round out, and gives a part the numbers of a log of its own."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from policies.types import Action
from simulator import Log
from simulator.asked import Asked
from simulator.checks import diagnose_log
from simulator.judging import judged_row, part_of

MakeLog = Callable[..., Log]
VARIANTS = 40


def wide(n: int) -> Log:
    """Of 40 variants: what has their shape is most of the memory."""
    rng = np.random.default_rng(0)
    shares = 0.5 * rng.dirichlet(np.ones(VARIANTS), size=n) + 0.5 / VARIANTS
    chosen = np.minimum((rng.random(n)[:, None] > shares.cumsum(axis=1)).sum(axis=1), VARIANTS - 1)
    return Log(
        actions=tuple(Action(f"v{place}") for place in range(VARIANTS)),
        contexts=tuple({} for _ in range(n)),
        eligible=np.ones((n, VARIANTS), dtype=bool),
        chosen=chosen,
        propensities=shares[np.arange(n), chosen],
        probabilities=shares,
        rewards=(rng.random(n) < 0.2).astype(float),
        times=np.arange(n, dtype=float),
        persons=np.arange(n),
    )


def test_judging_the_whole_copies_nothing_of_the_shape_of_the_log() -> None:
    log = wide(30_000)
    target = np.full(log.eligible.shape, 1.0 / VARIANTS)
    asked = Asked(("ips", "snips", "dr"), "dr", 0.95)
    part = part_of(log, np.full(target.shape, 0.2), np.ones(len(log), dtype=bool), asked)
    judged_row(part, "uniform", "baseline", target, asked)  # imports
    tracemalloc.start()
    row = judged_row(part, "uniform", "baseline", target, asked)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert row.estimates
    assert used < 0.5 * target.nbytes


def test_a_part_is_judged_as_a_log_of_those_rounds(make_log: MakeLog) -> None:
    log = make_log(2000)
    members = np.random.default_rng(1).random(len(log)) < 0.5
    target = np.random.default_rng(2).dirichlet(np.ones(3), size=len(log))
    q = np.full(target.shape, 0.3)
    asked = Asked(("ips", "snips", "dr"), "dr", 0.95)
    inside = judged_row(part_of(log, q, members, asked), "p", "asked", target, asked)
    alone = log[members]
    everybody = np.ones(len(alone), dtype=bool)
    outside = judged_row(part_of(alone, q[members], everybody, asked), "p", "asked", target[members], asked)
    for name, found in inside.estimates.items():
        expected = outside.estimates[name]
        assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
    assert inside.diagnostics == outside.diagnostics


def test_blocks_leave_no_round_out() -> None:
    log = wide(5_000)  # of more numbers than are looked at together
    target = np.tile(np.random.default_rng(3).dirichlet(np.ones(VARIANTS)), (len(log), 1))
    assert log.probabilities is not None
    asked = Asked(("ips",), "ips", 0.95)
    part = part_of(log, np.zeros(target.shape), np.ones(len(log), dtype=bool), asked)
    row = judged_row(part, "p", "asked", target, asked)
    weights = (target / log.probabilities)[np.arange(len(log)), log.chosen]
    assert row.diagnostics is not None
    assert row.diagnostics.mean_weight == pytest.approx(weights.mean(), rel=1e-12)
    assert row.estimates["ips"].value == pytest.approx(np.mean(weights * log.rewards), rel=1e-12)
    assert row.diagnostics.support == pytest.approx(1.0)
    assert all(finding.severity.value != "red" for finding in diagnose_log(log))
