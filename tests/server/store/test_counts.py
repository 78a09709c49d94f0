"""How much of a log can be judged, and why not the rest."""

from typing import Any

import pytest

from server.store import counts
from server.store.database import Database

pytestmark = pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)


def test_what_is_left_out_is_counted_by_why(
    database: Database, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, sql: Any
) -> None:
    put(hero)
    made = log.visits(7)
    clock.move(hours=1)
    log.visits(2)
    new_trainer().step(clock())
    for decision, change in zip(made, ("excluded = 'expired'", "excluded = 'erased'", "error = 'no'"), strict=False):
        sql(f"UPDATE rewards SET {change} WHERE decision_id = :id", id=decision.id)
    sql("UPDATE choices SET kind = 'fallback' WHERE decision_id = :id", id=made[3].id)
    sql("UPDATE choices SET propensity = NULL WHERE decision_id = :id AND slot = 'headline'", id=made[4].id)
    sql("UPDATE decisions SET group_name = 'control' WHERE decision_id = :id", id=made[5].id)
    every = {
        "not_activated": 1,
        "erased": 1,
        "no_reward": 1,
        "control": 1,
        "fallback": 1,
        "no_propensity": 1,
        "window_open": 2,
    }
    with database.reading() as connection:

        def counted(*slots: str, through: int = 7, since: Any = None, until: Any = None) -> dict[str, int]:
            return counts.count_left_out(connection, "hero", slots, since=since, until=until, through=through)

        assert counted("headline") == every
        assert counted("cta") == {name: count for name, count in every.items() if name != "no_propensity"}
        assert counted("headline", "cta") == every
        assert counted("headline", until=clock()) == {name: n for name, n in every.items() if name != "window_open"}
        assert counted("headline", since=clock()) == {"window_open": 2}
        assert counts.count_matured(connection, "hero", through=7) == 5
        assert counts.count_matured(connection, "hero", through=0) == 0
