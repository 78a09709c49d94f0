"""How soon what happened is in what is served: from the close of a window to a served snapshot that learned it.

    python -m bench.freshness --rate 500 --seconds 20

Starts `elige serve`, calls it at a fixed rate, whatever it answers, and asks it every few milliseconds which snapshot
serves. When each window closed and what each snapshot learned stands in the log.
"""

import argparse
import asyncio
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
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
from elige.client import AsyncClient, Client
from elige.client.operations import DECIDE, REWARD
from elige.v1 import decisions_pb2
from server.store.database import Database
from server.store.tables import decisions, rewards, snapshots

WINDOW_SECONDS = 2
CLICKS = 0.1
"""Share of the decisions that are clicked, at once."""
TICK = 0.02
"""Seconds between two handfuls of calls."""
LOOK = 0.02
"""Seconds between two looks at what serves."""
LEARNED_SECONDS = 60.0
"""How long after the load the last snapshot may take."""
POLICIES = ("squarecb", "auto")


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot was seen serving, first at this time (seconds since 1970)."""

    at: float
    snapshot: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """`waits` (n,): seconds from each window's close to the first look that found its decision learned and served;
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
            answered, took, seen = runner.run(_load_and_look(target, url, rate=rate, seconds=seconds))
    return Freshness(_waits(url, seen), answered / took, len(seen))


async def _load_and_look(target: str, url: str, *, rate: int, seconds: float) -> tuple[int, float, list[Seen]]:
    """How many decisions were answered, in how many seconds, and what was seen serving."""
    seen: list[Seen] = []
    stop = asyncio.Event()
    looking = asyncio.create_task(_look(target, seen, stop))
    began = time.monotonic()
    answered = await _load(target, rate=rate, seconds=seconds)
    took = time.monotonic() - began
    until = time.monotonic() + LEARNED_SECONDS
    while not await asyncio.to_thread(_learned, url, seen, answered):
        if time.monotonic() > until:
            raise ChildFailed(f"{answered} decisions, and not all learned {LEARNED_SECONDS:g} s after the last")
        await asyncio.sleep(0.2)
    stop.set()
    await looking
    return answered, took, seen


async def _load(target: str, *, rate: int, seconds: float) -> int:
    """So many calls a second, begun when they are due whether or not those before have ended."""
    asked = cycle([one.SerializeToString() for one in campaign.requests(1_000, seed=1)])
    rng = np.random.default_rng(5)
    async with grpc.aio.insecure_channel(target) as channel, asyncio.TaskGroup() as group:
        decide, reward = (channel.unary_unary(method.path, None, None) for method in (DECIDE, REWARD))

        async def visit(request: bytes, clicks: bool) -> None:
            answer = await decide(request, timeout=20.0)
            if clicks:
                made = decisions_pb2.Decision.FromString(answer)
                click = decisions_pb2.RewardRequest(decision_id=made.decision_id, metric=campaign.CLICK)
                await reward(click.SerializeToString(), timeout=20.0)

        began, calls = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(int(passed * rate) - calls):
                group.create_task(visit(next(asked), bool(rng.random() < CLICKS)))
                calls += 1
            await asyncio.sleep(TICK)
    return calls


async def _look(target: str, seen: list[Seen], stop: asyncio.Event) -> None:
    async with AsyncClient(target) as elige:
        while not stop.is_set():
            serving = (await elige.get_campaign(campaign.NAME)).snapshot
            if serving and (not seen or seen[-1].snapshot != int(serving)):
                seen.append(Seen(time.time(), int(serving)))
            await asyncio.sleep(LOOK)


def _learned(url: str, seen: Sequence[Seen], decided: int) -> bool:
    """Whether what serves has learned all decisions."""
    return bool(seen) and _through(url).get(seen[-1].snapshot, 0) >= decided


def _through(url: str) -> dict[int, int]:
    """Snapshot to the last place of the sequence that it learned."""
    database = Database(url)
    with database.reading() as connection:
        rows = connection.execute(select(snapshots.c.snapshot_id, snapshots.c.trained_through))
        found = {row.snapshot_id: row.trained_through for row in rows}
    database.close()
    return found


def _waits(url: str, seen: Sequence[Seen]) -> NDArray[np.float64]:
    """Seconds, in the order of the sequence."""
    through = _through(url)
    reached = list(accumulate((through[one.snapshot] for one in seen), max))
    database = Database(url)
    with database.reading() as connection:
        query = select(rewards.c.sequence, decisions.c.window_closes_at).join_from(
            rewards, decisions, rewards.c.decision_id == decisions.c.decision_id
        )
        closes: list[tuple[int, datetime]] = [
            (row.sequence, row.window_closes_at) for row in connection.execute(query.order_by(rewards.c.sequence))
        ]
    database.close()
    return np.array([seen[bisect_left(reached, place)].at - at.timestamp() for place, at in closes])


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
