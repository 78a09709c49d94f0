"""A trainer that was stopped past its lease, as by SIGSTOP or a machine that went to sleep, writes nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.store import inspection
from server.store.database import Database
from server.training.retrain import retrain
from server.training.trainer import Progress

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}"}

PROGRAM = """
import os, signal, sys
from datetime import datetime, timedelta
from server.store.database import Database
from server.training import trainer as module

def stopping(name, of):
    go_on = getattr(of, name)

    def stop(*given, **named):
        os.kill(os.getpid(), signal.SIGSTOP)
        return go_on(*given, **named)

    setattr(of, name, stop)

where = sys.argv[2]
stopping(where, module.Trainer if hasattr(module.Trainer, where) else module)
database = Database(os.environ["ELIGE_DB"])
trainer = module.Trainer(database, holder="stopped", grace=timedelta(0))
print(trainer.step(datetime.fromisoformat(sys.argv[1])))
database.close()
"""


@contextmanager
def stopped(url: str, now: datetime, where: str) -> Iterator[subprocess.Popen[str]]:
    """A trainer of its own process, in the midst of a pass at `now`, that has just stopped itself."""
    command = [sys.executable, "-c", PROGRAM, now.isoformat(), where]
    process = subprocess.Popen(command, env={**ENVIRONMENT, "ELIGE_DB": url}, stdout=subprocess.PIPE, text=True)
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"it ended before: {status}"
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "matured_before"), [("_mature", 0), ("learn_segment", 10)], ids=["before maturing", "while learning"]
)
def test_what_was_stopped_past_its_lease_writes_nothing(
    where: str,
    matured_before: int,
    put: Any,
    hero: str,
    log: Any,
    clock: Any,
    new_trainer: Any,
    url: str,
    database: Database,
    sql: Callable[..., list[Any]],
) -> None:
    put(hero)
    log.visits(10)
    later = clock.now + timedelta(hours=1)

    def everything() -> list[Any]:
        tables = ("rewards", "windows", "snapshots", "snapshot_slots", "leases")
        return [sorted(map(str, sql(f"SELECT * FROM {table}"))) for table in tables]

    with stopped(url, later, where) as process:
        assert len(sql("SELECT * FROM rewards")) == matured_before
        other = new_trainer("other")
        assert other.step(later + timedelta(seconds=9)) == Progress(0, 0)
        assert other.step(later + timedelta(seconds=11)) == Progress(10 - matured_before, 10)
        log.visits(5)  # closed at the moment at which the stopped one thinks to be
        before = everything()
        process.send_signal(signal.SIGCONT)
        said, _ = process.communicate(timeout=60)
        assert said.splitlines()[-1] == f"Progress(matured={matured_before}, learned=0)"
        assert everything() == before
        assert other.step(later + timedelta(seconds=12)) == Progress(5, 5)
    assert [place for (place,) in sql("SELECT sequence FROM rewards ORDER BY 1")] == list(range(1, 16))
    assert retrain(database, "hero").agrees
    with database.reading() as connection:
        assert [one for one in inspection.check(connection) if one.wrong] == []
