"""Crashes under load, at random points, and what must hold after each: every acknowledged decision and outcome is in
the log once, every matured decision was learned once, and the log gives the snapshots again byte for byte.

    python -m tests.system.crashes --rounds 50
    python -m tests.system.crashes --rounds 50 --postgres

Each round starts a server over the same database, loads it, and kills, after a random while, its trainer, or itself,
which is also its drain; some rounds kill the trainer first and the server a moment later.
"""

import argparse
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from elige.client import EligeError
from server.store.database import Database
from server.store.inspection import check
from server.store.tables import decisions, outcomes, rewards, windows
from server.store.training import list_snapshots
from server.training.retrain import retrain
from tests.postgres import running_postgres
from tests.system.running import Server, eventually, start_server

CAMPAIGN = """
campaign: hero
metrics: {click: once}
reward: {window: 1s}
context: {country: text}
policy: squarecb
slots:
  headline:
    default: a
    variants: [{id: a}, {id: b}, {id: c}]
"""
THREADS = 4
DRAIN_SECONDS = 120.0


@dataclass
class Acknowledged:
    """What callers were told is stored: decision ids, and keys of outcomes."""

    decisions: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


class Load:
    """Threads that decide and reward until their server goes away."""

    def __init__(self, server: Server, acknowledged: Acknowledged, *, name: str) -> None:
        self.failures: list[EligeError] = []
        self._server, self._acknowledged = server, acknowledged
        self._threads = [threading.Thread(target=self._run, args=(f"{name}-{n}",)) for n in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=60)

    def _run(self, name: str) -> None:
        with self._server.client(timeout=60.0) as elige:
            try:
                for number in range(1_000_000):
                    country = ("ES", "PT", "FR")[number % 3]
                    decision = elige.decide(
                        "hero", person=name, context={"country": country}, request_id=f"{name}-{number}"
                    )
                    self._acknowledged.decisions.append(decision.id)
                    if decision["headline"].variant == "b":
                        key = f"{name}-{number}"
                        elige.reward(decision.id, key=key)
                        self._acknowledged.keys.append(key)
            except EligeError as error:
                self.failures.append(error)


def crash(
    start: Callable[[], Server],
    url: str,
    *,
    rounds: int,
    random: Random,
    say: Callable[[str], None] = lambda line: None,
) -> Acknowledged:
    """So many rounds over one database; then a last server finishes what is left, and everything is checked.

    Raises AssertionError with what does not hold.
    """
    acknowledged = Acknowledged()
    for number in range(rounds):
        server = start()
        with server.client() as elige:
            elige.put_campaign(CAMPAIGN)
        load = Load(server, acknowledged, name=f"r{number}")
        before = len(acknowledged.decisions)
        eventually(lambda before=before: len(acknowledged.decisions) > before)  # type: ignore[misc]
        time.sleep(random.uniform(0.0, 1.5))  # the point of it: no moment is chosen
        killed = random.choice(["server", "trainer, then server", "server"])
        if killed != "server":
            with suppress(ProcessLookupError):
                os.kill(server.trainer, signal.SIGKILL)
            time.sleep(random.uniform(0.0, 1.0))
        server.stop(signal.SIGKILL)
        load.join()
        unexpected = {error.code for error in load.failures} - {"UNAVAILABLE", "CANCELLED"}
        assert not unexpected, load.failures
        say(f"round {number + 1}: killed {killed}; {len(acknowledged.decisions):,} decisions acknowledged so far")
    last = start()
    verify(url, acknowledged)
    last.stop()
    return acknowledged


def verify(url: str, acknowledged: Acknowledged) -> None:
    """Wait until everything is matured and learned, then hold the log against what was acknowledged."""
    database = Database(url)
    try:
        eventually(lambda: _settled(database, acknowledged), seconds=DRAIN_SECONDS)
        with database.reading() as connection:
            stored = connection.execute(select(decisions.c.decision_id)).scalars().all()
            keys = connection.execute(select(outcomes.c.key)).scalars().all()
            matured = connection.execute(select(rewards.c.decision_id)).scalars().all()
            wrong = [finding for finding in check(connection) if finding.wrong]
        assert set(acknowledged.decisions) <= set(stored), "an acknowledged decision is lost"
        assert len(stored) == len(set(stored)), "a decision is there twice"
        assert set(acknowledged.keys) <= set(keys), "an acknowledged outcome is lost"
        assert len(keys) == len(set(keys)), "an outcome is there twice"
        assert sorted(matured) == sorted(stored), "a decision is not matured, or was matured twice"
        assert not wrong, wrong
        again = retrain(database, "hero")
        assert again.agrees, again.why_not
        assert again.snapshot.trained_through == len(matured), "a matured decision was not learned"
        assert again.snapshot.examples == len(matured), "a matured decision was learned twice, or not at all"
    finally:
        database.close()


def _settled(database: Database, acknowledged: Acknowledged) -> bool:
    """Whether all that was acknowledged has arrived, no window is open, and the newest snapshot has learned it all."""
    with database.reading() as connection:
        there = connection.execute(select(func.count()).select_from(decisions)).scalar_one()
        told = connection.execute(select(func.count()).select_from(outcomes)).scalar_one()
        still_open = connection.execute(select(func.count()).select_from(windows)).scalar_one()
        last = connection.execute(select(func.max(rewards.c.sequence))).scalar_one()
    if there < len(acknowledged.decisions) or told < len(acknowledged.keys) or still_open:
        return False
    with database.reading() as connection:
        newest = list_snapshots(connection, "hero", before=None, limit=1)
    return bool(newest) and newest[0].trained_through == last


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.system.crashes", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--postgres", action="store_true", help="over a PostgreSQL of its own, behind an outbox")
    parser.add_argument("--seed", type=int, default=None, help="of the moments; default: another one every time")
    options = parser.parse_args()
    started: list[Server] = []
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="elige-crashes-") as name:
        folder = Path(name)
        if options.postgres:
            url = stack.enter_context(stack.enter_context(running_postgres()).database())
        else:
            url = f"sqlite:///{folder / 'elige.db'}"

        def start() -> Server:
            started.append(start_server(db=url, log=folder / f"server-{len(started)}.log"))
            return started[-1]

        try:
            done = crash(start, url, rounds=options.rounds, random=Random(options.seed), say=print)
        finally:
            for server in started:
                server.end()
    print(f"{options.rounds} rounds: {len(done.decisions):,} decisions and {len(done.keys):,} outcomes acknowledged;")
    print("each is in the log once, each decision was learned once, and the log gives every snapshot again")


if __name__ == "__main__":
    main()
