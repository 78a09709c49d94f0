"""One side of `bench.evaluate`, run by the Python of its own environment.

    python bench/evaluating.py ours 1000000 10

Prints what it measured as a line of JSON. The other side's environment has numpy and little else of ours.
"""

import json
import sys
import time
from collections.abc import Callable
from ctypes import CDLL
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

ESTIMATORS = ("ips", "snips", "dr")
REPEATS = 3
BOOTSTRAP = 1_000
"""Samples of the other side, whose intervals need them."""


@dataclass(frozen=True)
class Measured:
    """Seconds, the median of REPEATS, and value by estimator; and the bytes that estimating took at most beyond what
    was resident before.
    """

    seconds: dict[str, float]
    values: dict[str, float]
    memory: int


def arrays(rounds: int, variants: int) -> dict[str, Any]:
    """The same log on both sides: what was drawn, with rewards at 5 to 7 %, and a policy to judge."""
    rng = np.random.default_rng(6)
    logged = 0.9 * rng.dirichlet(np.ones(variants), size=rounds) + 0.1 / variants
    points = rng.random(rounds)
    chosen = np.minimum((points[:, None] > logged.cumsum(axis=1)).sum(axis=1), variants - 1)
    rewards = (rng.random(rounds) < 0.05 + 0.02 * chosen / variants).astype(np.float64)
    target = np.tile(rng.dirichlet(np.ones(variants)), (rounds, 1))
    q = np.full((rounds, variants), 0.06)
    return {"logged": logged, "chosen": chosen, "rewards": rewards, "target": target, "q": q}


def ours(rounds: int, variants: int) -> Measured:
    """As `simulator.evaluate` does, once for each estimator: diagnostics, value, interval."""
    from policies.types import Action
    from simulator.asked import Asked
    from simulator.judging import judged_row, part_of
    from simulator.logs.contexts import Contexts
    from simulator.logs.log import Log

    x = arrays(rounds, variants)
    log = Log(
        actions=tuple(Action(f"v{place}") for place in range(variants)),
        contexts=Contexts({}, rounds),
        eligible=np.ones((rounds, variants), dtype=bool),
        chosen=x["chosen"],
        propensities=x["logged"][np.arange(rounds), x["chosen"]],
        probabilities=x["logged"],
        rewards=x["rewards"],
        times=np.arange(rounds, dtype=np.float64),
        persons=-1 - np.arange(rounds),
    )
    part = part_of(log, x["q"], np.ones(rounds, dtype=bool), Asked((), "", 0.95))

    def one(name: str) -> float:
        row = judged_row(part, "judged", "spec", x["target"], Asked((name,), name, 0.95))
        return row.estimates[name].value

    return _timed(one)


def obp(rounds: int, variants: int) -> Measured:
    """As its documentation shows."""
    from obp.ope import (  # type: ignore[import-not-found]
        DoublyRobust,
        InverseProbabilityWeighting,
        OffPolicyEvaluation,
        SelfNormalizedInverseProbabilityWeighting,
    )

    x = arrays(rounds, variants)
    feedback = {
        "n_rounds": rounds,
        "n_actions": variants,
        "context": np.zeros((rounds, 1)),
        "action": x["chosen"],
        "position": None,
        "reward": x["rewards"],
        "pscore": x["logged"][np.arange(rounds), x["chosen"]],
    }
    classes = {
        "ips": InverseProbabilityWeighting,
        "snips": SelfNormalizedInverseProbabilityWeighting,
        "dr": DoublyRobust,
    }

    def one(name: str) -> float:
        evaluation = OffPolicyEvaluation(bandit_feedback=feedback, ope_estimators=[classes[name](estimator_name=name)])
        told = {"action_dist": x["target"][:, :, None], "estimated_rewards_by_reg_model": x["q"][:, :, None]}
        found = evaluation.estimate_policy_values(**told)
        evaluation.estimate_intervals(**told, n_bootstrap_samples=BOOTSTRAP, random_state=1)
        return float(found[name])

    return _timed(one)


def _timed(one: Callable[[str], float]) -> Measured:
    CDLL(None).malloc_trim(0)  # what making the log left free would else be used, and not be seen
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forgets the greatest so far
    one(ESTIMATORS[0])  # imports, first touch
    seconds, values = {}, {}
    for name in ESTIMATORS:
        took = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            values[name] = one(name)
            took.append(time.perf_counter() - began)
        seconds[name] = float(np.median(took))
    return Measured(seconds, values, _resident("VmHWM") - before)


def _resident(what: str) -> int:
    """Bytes, as Linux counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    side, rounds, variants = sys.argv[1:]
    print(json.dumps(asdict({"ours": ours, "obp": obp}[side](int(rounds), int(variants)))))
