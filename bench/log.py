"""Writing the log: our committer, durable before it answers, against a plain bulk insert of the same rows.

    python -m bench.log --rounds 8 --seconds 2

Decisions and outcomes are handed to the committer one by one, as calls bring them. The plain side has the finished
rows, writes each table in one statement with SQLAlchemy Core, and looks up nothing: no request ids, no keys, no fates.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from sqlalchemy import Column, Table, insert, select

from bench import campaign
from bench.children import run
from bench.databases import postgres
from bench.decide import NOW, trained
from bench.figures import Figures, as_text, machine
from bench.harness import Round, Side, compare
from bench.registry import Benchmark
from server.app import utc_now
from server.campaigns.file import load_campaigns
from server.campaigns.versions import put_campaign
from server.decide import decide
from server.ids import RANDOM, make_decision_id
from server.records import Decision, Outcome
from server.rpc import wire
from server.store.committer import Committer, Direct
from server.store.database import Database
from server.store.front import buffered, direct
from server.store.tables import choices, decisions, outcomes, windows

PLAIN, ELIGE, DRAINED = "plain bulk insert", "elige", "elige, through the outbox"
DECISIONS, OUTCOMES = 2_000, 1_000
"""Of one call: one transaction of the plain side, and all handed over at once on ours."""
ROWS = 3 * DECISIONS + OUTCOMES
"""A decision is a row in `decisions`, one in `choices` and one in `windows`."""

Rows = dict[Table, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Work:
    """What one call writes."""

    decisions: Sequence[Decision]
    outcomes: Sequence[Outcome]


def measure(*, rounds: int, seconds: float) -> Iterator[Figures]:
    """One table a database; PostgreSQL's says so where there is none."""
    with tempfile.TemporaryDirectory(prefix="elige-bench-") as name, ExitStack() as opened:
        plain, ours = (f"sqlite:///{Path(name) / f'{side}.db'}" for side in ("plain", "elige"))
        sides = {PLAIN: _plain(plain), ELIGE: _elige(ours, None)}
        yield _measure("SQLite", sides, rounds=rounds, seconds=seconds)
        try:
            plain, ours, behind = opened.enter_context(postgres(Path(name), 3))
        except ModuleNotFoundError as error:
            yield Figures(f"log: PostgreSQL left out: {error}", (), (), {})
        else:
            sides = {PLAIN: _plain(plain), ELIGE: _elige(ours, None)}
            sides[DRAINED] = _elige(behind, Path(name) / "outbox.db")
            yield _measure("PostgreSQL", sides, rounds=rounds, seconds=seconds)


def _measure(
    database: str, makers: Mapping[str, AbstractContextManager[Side]], *, rounds: int, seconds: float
) -> Figures:
    with ExitStack() as opened:
        sides = {name: opened.enter_context(maker) for name, maker in makers.items()}
        found = compare(sides, baseline=PLAIN, rounds=rounds, seconds_per_round=seconds)
    return found.figures(
        f"log: {database}, {DECISIONS:,} decisions and {OUTCOMES:,} outcomes a call ({ROWS:,} rows), "
        f"{rounds} rounds of {seconds:g} s a side"
    )


@contextmanager
def _plain(url: str) -> Iterator[Side]:
    database = _opened(url)
    template = _as_written(next(_works()))

    def rows(work: Work) -> Rows:
        """The template under the ids and times of this work."""
        renamed = {old["decision_id"]: new for old, new in zip(template[decisions], work.decisions, strict=True)}

        def fresh(row: dict[str, Any]) -> dict[str, Any]:
            new = renamed[row["decision_id"]]
            changed: dict[str, Any] = dict.fromkeys(("at", "activated_at", "received_at"), new.at)
            changed |= {"decision_id": new.id, "key": f"{new.id}-click"}
            return {name: changed.get(name, value) for name, value in row.items()}

        return {table: [fresh(row) for row in written] for table, written in template.items()}

    def call(written: Rows) -> None:
        with database.writing() as connection:
            for table, rows in written.items():
                connection.execute(insert(table), rows)

    made = _works()
    try:
        yield _side(lambda: rows(next(made)), call)
    finally:
        database.close()


def _as_written(work: Work) -> Rows:
    """The rows that our committer makes of this, in the order of the decisions."""
    with tempfile.TemporaryDirectory(prefix="elige-bench-") as folder:
        database = _opened(f"sqlite:///{Path(folder) / 'elige.db'}")
        with asyncio.Runner() as runner:
            committer = Committer(Direct(database))
            runner.run(_write(committer, work))
            committer.close()
        order = {one.id: place for place, one in enumerate(work.decisions)}
        with database.reading() as connection:
            found = {
                table: sorted(
                    (dict(row) for row in connection.execute(select(*_columns(table))).mappings()),
                    key=lambda row: order[row["decision_id"]],
                )
                for table in (decisions, choices, windows, outcomes)
            }
        database.close()
    return found


def _columns(table: Table) -> list[Column[Any]]:
    """All but what counts up by itself."""
    return [column for column in table.columns if column.name != "outcome_id"]


async def _write(committer: Committer, work: Work) -> None:
    await asyncio.gather(*map(committer.decision, work.decisions), *map(committer.outcome, work.outcomes))


@contextmanager
def _elige(url: str, outbox: Path | None) -> Iterator[Side]:
    """With an outbox, until it is drained."""
    database = _opened(url)
    front = direct(database) if outbox is None else buffered(database, outbox, clock=utc_now)
    committer = Committer(front.target)

    def call(work: Work) -> None:
        runner.run(_write(committer, work))
        while (left := front.backlog()) is not None and left.records:
            time.sleep(0.002)

    with asyncio.Runner() as runner:
        made = _works()
        try:
            yield _side(lambda: next(made), call)
        finally:
            committer.close()
            front.close()
            database.close()


def _side(prepare: Callable[[], Any], call: Callable[[Any], object]) -> Side:
    """Times the calls, and not the making of what they write."""

    def side(seconds: float) -> Round:
        latencies: list[float] = []
        while sum(latencies) < seconds:
            work = prepare()
            began = time.perf_counter()
            call(work)
            latencies.append(time.perf_counter() - began)
        return Round(sum(latencies), np.array(latencies))

    return side


def _opened(url: str) -> Database:
    database = Database(url)
    (parsed,) = load_campaigns(campaign.SOURCE, file_name="campaign.py")
    put_campaign(database, parsed, campaign.SOURCE, now=NOW)
    return database


def _works() -> Iterator[Work]:
    """Decisions that differ, each with an id of its own; every second one has a click with a key."""
    served = trained()
    secret, random = bytes(32), Random(4)
    asked = [wire.read_decide(one) for one in campaign.requests(DECISIONS, seed=4)]
    drawn = [decide(served, one, secret=secret, now=NOW, random=random.randbytes(RANDOM)) for one in asked]
    for number in count():
        at = NOW + timedelta(seconds=number)
        made = [
            replace(
                one,
                id=make_decision_id(secret, at=at, campaign_number=served.number, random=random.randbytes(RANDOM)),
                at=at,
            )
            for one in drawn
        ]
        yield Work(
            made,
            [
                Outcome(one.id, campaign.NAME, campaign.CLICK, 1.0, at, at, key=f"{one.id}-click")
                for one in made[: 2 * OUTCOMES : 2]
            ],
        )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.log", description="The committer against a bulk insert.")
    parser.add_argument("--rounds", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=2.0, help="a round and side; default: %(default)s")
    options = parser.parse_args(arguments)
    print("{cores} cores, Python {python}".format(**machine()))
    for figures in measure(rounds=options.rounds, seconds=options.seconds):
        print(f"\n{as_text(figures)}", flush=True)


BENCHMARK = Benchmark(
    about="writing the log, durably, against a plain bulk insert of the same rows",
    quick=lambda: measure(rounds=6, seconds=0.7),
)

if __name__ == "__main__":
    run(main)
