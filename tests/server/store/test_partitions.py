"""docs/partitions.sql splits a database that is in use, and everything goes on."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server.ids import earliest_id
from server.store.database import Database
from server.store.inspection import check
from server.training.trainer import Trainer

SCRIPT = Path(__file__).parents[3] / "docs" / "partitions.sql"


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_decisions_and_choices_can_be_partitioned_by_time(
    hero: str, put: Callable[..., Any], log: Any, clock: Any, database: Database, sql: Callable[..., list[Any]]
) -> None:
    put(hero)
    before = log.decide([{"country": "ES"}] * 3)
    clock.move(days=1)
    bound = earliest_id(clock.now)
    script = SCRIPT.read_text(encoding="utf-8").replace(":bound", f"'{bound}'")
    lines = (line for line in script.splitlines() if not line.startswith("--"))
    for statement in filter(None, map(str.strip, "\n".join(lines).split(";"))):
        if statement not in ("BEGIN", "COMMIT"):
            sql(statement)

    after = log.decide([{"country": "PT"}] * 2)
    counted = {
        table: sql(f"SELECT count(*) FROM {table}")
        for table in ("decisions_before", "decisions_after", "choices_after")
    }
    assert counted == {"decisions_before": [(3,)], "decisions_after": [(2,)], "choices_after": [(4,)]}
    progress = Trainer(database, holder="one", grace=timedelta(0)).step(clock.move(hours=1))
    assert (progress.matured, progress.learned) == (len(before) + len(after),) * 2
    with database.reading() as connection:
        assert [one for one in check(connection) if one.wrong] == []
