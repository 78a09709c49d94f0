"""What stands in front of a database is opened whole or not at all, and closed in order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.errors import DatabaseUnusable, Unavailable
from server.store.database import Database
from server.store.front import buffered, direct
from server.store.outbox import Outbox
from server.store.presence import Presence


def test_what_was_appended_is_drained_when_it_is_closed(
    database: Database, make: Any, clock: Any, sql: Callable[..., list[Any]], tmp_path: Path
) -> None:
    front = buffered(database, tmp_path / "outbox.db", clock=clock)
    front.target.append(make(50))
    front.close()
    assert sql("SELECT count(*) FROM decisions") == [(50,)]
    assert sql("SELECT count(*) FROM servers") == [(0,)]
    Outbox(tmp_path / "outbox.db", secret=database.secret).close()  # it was let go


def test_what_is_left_is_told(
    database: Database, make: Any, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    front = buffered(database, tmp_path / "outbox.db", clock=clock)

    def away(campaigns: Any = None) -> Any:
        raise Unavailable("it is away")

    monkeypatch.setattr(database, "writing", away)
    front.target.append(make(3))
    backlog = front.backlog()
    assert backlog is not None
    assert backlog.records == 3
    front.close()
    assert said[-1] == {"event": "records stay in the outbox", "log_level": "warning", "records": 3}
    Outbox(tmp_path / "outbox.db", secret=database.secret).close()


def test_an_outbox_whose_server_can_not_register_is_let_go(
    database: Database, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(campaigns: Any = None) -> Any:
        raise Unavailable("it is away")

    with monkeypatch.context() as patch:
        patch.setattr(database, "writing", away)
        with pytest.raises(Unavailable):
            buffered(database, tmp_path / "outbox.db", clock=clock)
    front = buffered(database, tmp_path / "outbox.db", clock=clock)
    with pytest.raises(DatabaseUnusable, match="another server"):
        buffered(database, tmp_path / "outbox.db", clock=clock)
    front.close()


def test_without_an_outbox_there_is_nothing_to_drain(database: Database, make: Any, sql: Any) -> None:
    front = direct(database)
    made = make(1)
    assert front.target.append(made) == made
    assert sql("SELECT count(*) FROM decisions") == [(1,)]
    assert front.backlog() is None
    assert front.asks_first
    front.presence.lost("it is away")
    assert front.asks_first  # there is nobody else
    front.watch()
    front.close()


def test_that_it_is_away_is_told_once(said: list[Any]) -> None:
    presence = Presence()
    assert presence.up
    assert not presence.back()
    presence.lost("first")
    presence.lost("second")
    assert not presence.up
    assert presence.back()
    assert presence.up
    assert [(one["event"], one["reason"]) for one in said] == [("the database is away", "first")]
