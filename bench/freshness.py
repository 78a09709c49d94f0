"""How soon what happened is in what is served: from the close of a window to a served snapshot that learned it.

    python -m bench.freshness --rate 500 --seconds 20

Starts `elige serve` and calls it at a fixed rate, whatever it answers. Every answer names the snapshot that served it;
when each window closed and what each snapshot learned stands in the log.
"""

import argparse
import asyncio
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate, cycle
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np
import uvloop
from numpy.typing import NDArray
from sqlalchemy import select

from bench import campaign
from bench.children import ChildFailed, child, run
from bench.databases import postgres
from bench.figures import Figures, as_text, machine
from bench.harness import duration
from bench.registry import Benchmark
from bench.serve import address
from elige.client import Client
from elige.client.operations import DECIDE, REWARD
from elige.v1 import decisions_pb2
from server.store.database import Database
from server.store.tables import decisions, rewards, snapshots

WINDOW_SECONDS = 2
CLICKS = 0.1
"""Share of the decisions that are clicked, at once."""
TICK = 0.02
"""Seconds between two handfuls of calls."""
SEEN_SECONDS = 5.0
"""Windows that closed so shortly before the end are left out: what learned them may not have been seen any more."""
POLICIES = ("squarecb", "auto")


@dataclass(frozen=True, slots=True)
class Load:
    """What was called and seen. Times are seconds since 1970; `seen`: snapshots, and when each first served."""

    decisions: int
    began: float
    ended: float
    seen: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Freshness:
    """`waits` (n,): seconds from each window's close to the first answer by a snapshot that had learned its decision;
    `rate`: decisions a second that were answered."""

    waits: NDArray[np.float64]
    rate: float
    snapshots: int


def measure(*, rate: int, seconds: float) -> Iterator[Figures]:
    """One row a database and policy."""
    rows: list[tuple[str, ...]] = []
    document: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="elige-bench-") as name, ExitStack() as opened:
        folder = Path(name)
        cells = [(f"SQLite, {policy}", f"sqlite:///{folder / f'{policy}.db'}", policy) for policy in POLICIES]
        try:
            (url,) = opened.enter_context(postgres(folder, 1))
        except ModuleNotFoundError as error:
            document["left out"] = f"PostgreSQL: {error}"
        else:
            cells.append((f"PostgreSQL, {POLICIES[-1]}", url, POLICIES[-1]))
        for cell, url, policy in cells:
            found = one(folder, url, policy=policy, rate=rate, seconds=seconds)
            p50, p90, p99 = np.percentile(found.waits, (50, 90, 99))
            figures = (f"{found.rate:,.0f}", f"{found.snapshots}", *map(duration, (p50, p90, p99)))
            rows.append((cell, *figures))
            document[cell] = {"rate": found.rate, "p50": p50, "p90": p90, "p99": p99, "snapshots": found.snapshots}
    yield Figures(
        title=f"freshness: from the close of a window to a served snapshot that learned it, {rate} decisions/s asked "
        f"for {seconds:g} s, {len(campaign.VARIANTS)} variants, target p50 1 s",
        header=("", "decisions/s", "snapshots", "p50", "p90", "p99"),
        rows=tuple(rows),
        document=document,
    )


def one(folder: Path, url: str, *, policy: str, rate: int, seconds: float) -> Freshness:
    """One server under load. Raises ChildFailed."""
    source = campaign.SOURCE.replace("window: 30m", f"window: {WINDOW_SECONDS}s")
    source = source.replace("policy: squarecb", f"policy: {policy}")
    command = ["-c", "from server.cli import main; main()", "serve", "--listen", "127.0.0.1:0", "--db", url]
    command += ["--outbox", str(folder / "outbox.db")]
    with child(command, name="elige-serve", folder=folder) as server:
        target = address(server)
        with Client(target) as elige:
            elige.put_campaign(source)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            load = runner.run(_load(target, rate=rate, seconds=seconds + WINDOW_SECONDS + SEEN_SECONDS))
    return Freshness(_waits(url, load), load.decisions / (load.ended - load.began), len(load.seen))


async def _load(target: str, *, rate: int, seconds: float) -> Load:
    """So many calls a second, begun when they are due whether or not those before have ended. Every answer names the
    snapshot that served it.
    """
    asked = cycle([one.SerializeToString() for one in campaign.requests(1_000, seed=1)])
    rng = np.random.default_rng(5)
    seen: dict[int, float] = {}
    async with grpc.aio.insecure_channel(target) as channel, asyncio.TaskGroup() as group:
        decide, reward = (channel.unary_unary(method.path, None, None) for method in (DECIDE, REWARD))

        async def visit(request: bytes, clicks: bool) -> None:
            made = decisions_pb2.Decision.FromString(await decide(request, timeout=20.0))
            if made.snapshot:
                seen.setdefault(int(made.snapshot), time.time())
            if clicks:
                click = decisions_pb2.RewardRequest(decision_id=made.decision_id, metric=campaign.CLICK)
                await reward(click.SerializeToString(), timeout=20.0)

        began, calls = time.time(), 0
        while (passed := time.time() - began) < seconds:
            for _ in range(int(passed * rate) - calls):
                group.create_task(visit(next(asked), bool(rng.random() < CLICKS)))
                calls += 1
            await asyncio.sleep(TICK)
    return Load(calls, began, time.time(), tuple(sorted(seen.items())))


def _waits(url: str, load: Load) -> NDArray[np.float64]:
    """Seconds, in the order of the sequence, of the windows that closed early enough to be seen. Raises ChildFailed."""
    database = Database(url)
    with database.reading() as connection:
        rows = connection.execute(select(snapshots.c.snapshot_id, snapshots.c.trained_through))
        through = {row.snapshot_id: row.trained_through for row in rows}
        query = select(rewards.c.sequence, decisions.c.window_closes_at).join_from(
            rewards, decisions, rewards.c.decision_id == decisions.c.decision_id
        )
        closes = [
            (row.sequence, row.window_closes_at.timestamp())
            for row in connection.execute(query.order_by(rewards.c.sequence))
        ]
    database.close()
    reached = list(accumulate((through[snapshot] for snapshot, _ in load.seen), max))
    counted = [(place, at) for place, at in closes if at < load.ended - SEEN_SECONDS]
    if not counted or not reached or reached[-1] < counted[-1][0]:
        raise ChildFailed(f"not all was learned and served {SEEN_SECONDS:g} s after its window had closed")
    return np.array([load.seen[bisect_left(reached, place)][1] - at for place, at in counted])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.freshness", description="From an outcome to what is served.")
    parser.add_argument("--rate", type=int, default=500, help="decisions a second; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=20.0, help="of load; default: %(default)s")
    options = parser.parse_args(arguments)
    print("{cores} cores, Python {python}".format(**machine()))
    for figures in measure(rate=options.rate, seconds=options.seconds):
        print(f"\n{as_text(figures)}", flush=True)


BENCHMARK = Benchmark(
    about="from the close of a window to a served snapshot that learned it",
    quick=lambda: measure(rate=500, seconds=10.0),
)

if __name__ == "__main__":
    run(main)
