"""A Ray cluster of two workers, each with a core of its own, says what one process says."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from simulator import ColumnMapping, EvaluationError, evaluate_parquet, to_json
from simulator.engines.local import Engine, EngineError, Inline
from simulator.engines.on_ray import RayMissing, ray_engine
from simulator.grids import evaluate_grid
from simulator.worlds import world

arrow = pytest.importorskip("pyarrow")

MAPPING = ColumnMapping(
    variant="arm", reward="click", propensity="chance", time="at", person="who", context={"country": "text"}
)
ROUNDS = 30_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[Engine]:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    from ray.cluster_utils import Cluster

    before = {name: os.environ.get(name) for name in ("RAY_AUTH_MODE", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO")}
    # a cluster of this test alone needs no token in the home directory, and accelerators are none of its business
    os.environ.update(RAY_AUTH_MODE="disabled", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0")
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        nodes.add_node(num_cpus=1)
        with ray_engine(nodes.address) as engine:
            yield engine
    finally:
        nodes.shutdown()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pyarrow import parquet

    rng = np.random.default_rng(4)
    place = rng.choice(3, size=ROUNDS, p=(0.5, 0.3, 0.2))
    table = arrow.table(
        {
            "arm": np.array(["a", "b", "c"])[place],
            "click": (rng.random(ROUNDS) < 0.1 + 0.02 * place).astype(np.float64),
            "chance": np.array([0.5, 0.3, 0.2])[place],
            "at": np.arange(ROUNDS, dtype=np.float64),
            "who": rng.integers(10_000, size=ROUNDS).astype(str),
            "country": rng.choice(["ES", "MX"], size=ROUNDS),
        }
    )
    file = tmp_path_factory.mktemp("log") / "rounds.parquet"
    parquet.write_table(table, file, row_group_size=6_000)
    return file


@pytest.mark.slow
def test_two_workers_say_what_one_process_says(cluster: Engine, path: Path) -> None:
    """One test, since each process of a parallel run would begin a cluster of its own."""
    assert cluster.cores == 2
    here = evaluate_parquet(path, MAPPING, ["squarecb"], by="country", engine=Inline())
    there = evaluate_parquet(path, MAPPING, ["squarecb"], by="country", engine=cluster)
    assert to_json(there) == to_json(here)

    log = world("segments").log(3_000, seed=2)
    inline, remote = (evaluate_grid(log, ["epsilon:epsilon=0.05|0.2"], engine=one) for one in (Inline(), cluster))
    assert to_json(remote) == to_json(inline)

    assert list(cluster.map(abs, range(-20, 0))) == list(range(20, 0, -1)), "in the order of the pieces"
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        list(cluster.map(_inverse, [1.0, 0.0]))
    with pytest.raises(EvaluationError, match="nothing to compare"):
        list(cluster.map(_refuse, [1]))


def _inverse(number: float) -> float:
    return 1.0 / number


def _refuse(piece: int) -> None:
    raise EvaluationError("nothing to compare")


def test_without_ray_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RayMissing, match=r"elige\[ray\]"), ray_engine():
        pass


def test_an_address_where_no_cluster_is_is_told() -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    with pytest.raises(EngineError, match=r"no Ray cluster at '127\.0\.0\.1:1'"), ray_engine("127.0.0.1:1"):
        pass
