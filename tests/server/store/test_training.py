"""Leases, the sequence and snapshots: whoever lost the lease writes nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from server.errors import LeaseLost
from server.records import SlotState, Snapshot, state_digest
from server.store import training as rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.store.training import Earned, Lease

LASTS = timedelta(seconds=10)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def campaign(put: Callable[[str], StoredCampaign], hero: str) -> None:
    put(hero)


@pytest.fixture
def acquire(database: Database) -> Callable[[str, datetime], Lease | None]:
    def acquire(holder: str, now: datetime) -> Lease | None:
        with database.writing() as connection:
            return rows.acquire(connection, "hero", holder=holder, now=now, lasts=LASTS)

    return acquire


def expires_at(sql: Callable[..., list[Any]]) -> str:
    return str(sql("SELECT expires_at FROM leases")[0][0])


def test_one_holder_at_a_time(acquire: Callable[..., Lease | None], clock: Any) -> None:
    assert acquire("one", clock.now) == Lease("hero", "one", 1)
    assert acquire("two", clock.now) is None
    assert acquire("two", clock.move(seconds=9.999)) is None
    assert acquire("two", clock.move(seconds=0.001)) == Lease("hero", "two", 2)
    assert acquire("one", clock.now) is None


def test_a_lease_is_renewed_once_half_of_it_is_gone(
    acquire: Callable[..., Lease | None], clock: Any, sql: Callable[..., list[Any]]
) -> None:
    acquire("one", clock.now)
    first = expires_at(sql)
    assert acquire("one", clock.move(seconds=4)) == Lease("hero", "one", 1)
    assert expires_at(sql) == first
    assert acquire("one", clock.move(seconds=2)) == Lease("hero", "one", 1)
    assert expires_at(sql) > first
    assert acquire("two", clock.move(seconds=9)) is None


def test_a_clock_that_jumped_back_does_not_keep_the_lease_for_an_hour(
    acquire: Callable[..., Lease | None], clock: Any, sql: Callable[..., list[Any]]
) -> None:
    acquire("one", clock.now)
    clock.move(hours=-1)
    assert acquire("one", clock.now) == Lease("hero", "one", 1)
    assert acquire("two", clock.move(seconds=9)) is None  # the holder renewed it by the new clock
    clock.move(hours=-1)
    assert acquire("two", clock.now) == Lease("hero", "two", 2)


def test_a_released_lease_is_free(acquire: Callable[..., Lease | None], clock: Any, database: Database) -> None:
    acquire("one", clock.now)
    with database.writing() as connection:
        rows.release(connection, "two", now=clock.now)
    assert acquire("two", clock.now) is None
    with database.writing() as connection:
        rows.release(connection, "one", now=clock.now)
    assert acquire("two", clock.now) == Lease("hero", "two", 2)


def snapshot(now: datetime, **changes: Any) -> Snapshot:
    state = SlotState("headline", "squarecb", "--x", "{}", b"bytes", state_digest(b"bytes"))
    made = Snapshot(
        id=0,
        campaign="hero",
        version=1,
        lineage=1,
        parent=None,
        trained_from=1,
        trained_through=10,
        examples=9,
        created_at=now,
        versions={"vowpalwabbit": "9"},
        slots=(state,),
    )
    return replace(made, **changes)


def test_whoever_lost_the_lease_writes_nothing(
    acquire: Callable[..., Lease | None], clock: Any, log: Any, database: Database, sql: Callable[..., list[Any]]
) -> None:
    (decision,) = log.decide([{}])
    late = acquire("one", clock.now)
    assert late is not None
    acquire("two", clock.move(seconds=11))

    @contextmanager
    def refused() -> Iterator[Connection]:
        with pytest.raises(LeaseLost), database.writing() as connection:
            yield connection

    with refused() as connection:
        rows.append_rewards(connection, late, [Earned(decision.id, 1.0, {})], now=clock.now)
    with refused() as connection:
        rows.append_snapshot(connection, late, snapshot(clock.now))
    with refused() as connection:
        rows.store_states(connection, late, snapshot(clock.now))
    assert sql("SELECT * FROM rewards") == sql("SELECT * FROM snapshots") == []
    assert len(sql("SELECT * FROM windows")) == 1


def test_places_in_the_sequence_have_no_gaps(
    acquire: Callable[..., Lease | None], clock: Any, log: Any, database: Database, sql: Callable[..., list[Any]]
) -> None:
    lease = acquire("one", clock.now)
    assert lease is not None
    made = log.decide([{}] * 5)
    for part in (made[:2], [], made[2:]):
        with database.writing() as connection:
            rows.append_rewards(connection, lease, [Earned(one.id, None, {}, "no") for one in part], now=clock.now)
    assert sql("SELECT sequence FROM rewards ORDER BY 1") == [(1,), (2,), (3,), (4,), (5,)]
    assert sql("SELECT * FROM windows") == []


def test_due_windows_come_by_their_close(log: Any, clock: Any, database: Database) -> None:
    late = log.decide([{}])
    clock.move(minutes=-5)
    early = log.decide([{}])
    closes = late[0].window_closes_at

    def due(*, campaign: str = "hero", closed_by: datetime, limit: int = 9) -> list[str]:
        with database.reading() as connection:
            return [one.decision_id for one in rows.due(connection, campaign, closed_by=closed_by, limit=limit)]

    assert closes is not None
    assert due(closed_by=closes - SECOND) == [early[0].id]
    assert due(closed_by=closes) == [early[0].id, late[0].id]
    assert due(closed_by=closes, limit=1) == [early[0].id]
    assert due(campaign="other", closed_by=closes) == []


@pytest.fixture
def save(acquire: Callable[..., Lease | None], clock: Any, database: Database) -> Callable[..., int]:
    def save(**changes: Any) -> int:
        lease = acquire("one", clock.now)
        assert lease is not None
        with database.writing() as connection:
            return rows.append_snapshot(connection, lease, snapshot(clock.now, **changes))

    return save


def test_a_snapshot_comes_back_as_it_was_saved(save: Callable[..., int], clock: Any, database: Database) -> None:
    saved = save()
    with database.reading() as connection:
        read = rows.read_snapshot(connection, saved)
        assert rows.newest_snapshot_ids(connection) == {"hero": saved}
        assert rows.read_snapshot(connection, saved + 1) is None
    assert read == snapshot(clock.now, id=saved)
    assert read is not None
    assert read.intact


def test_a_snapshot_that_builds_on_an_older_one_is_refused(save: Callable[..., int]) -> None:
    first = save()
    second = save(parent=first, trained_from=11, trained_through=20)
    with pytest.raises(LeaseLost, match=f"snapshot {second} came after {first}"):
        save(parent=first, trained_from=11, trained_through=30)
    save(parent=second, trained_from=21, trained_through=30)


def test_damage_is_seen(save: Callable[..., int], sql: Callable[..., list[Any]], database: Database) -> None:
    saved = save()
    for damage in (b"bytes", b"bytet", b"", b"byte", None):
        sql("UPDATE snapshot_slots SET state = :damage", damage=damage)
        with database.reading() as connection:
            read = rows.read_snapshot(connection, saved)
        assert read is not None
        assert read.intact is (damage == b"bytes"), damage


def test_old_snapshots_are_thinned_to_the_last_of_each_hour(
    save: Callable[..., int], clock: Any, database: Database
) -> None:
    parent: int | None = None
    hours: dict[int, int] = {}
    clock.now = clock.now.replace(minute=5)
    for n in range(12):
        parent = save(parent=parent, trained_from=10 * n + 1, trained_through=10 * n + 10)
        hours[parent] = clock.now.hour
        clock.move(minutes=20)
    with database.writing() as connection:
        rows.thin(connection, "hero", keep=3)
    with database.reading() as connection:
        kept = {one.id for one in rows.list_snapshots(connection, "hero", before=None, limit=99) if one.intact}
        everything = rows.list_snapshots(connection, "hero", before=None, limit=99)
    assert [one.id for one in everything] == sorted(hours, reverse=True)
    old = sorted(hours)[:-3]
    last_of_hour = {max(one for one in old if hours[one] == hour) for hour in {hours[one] for one in old}}
    assert kept == {*sorted(hours)[-3:], *last_of_hour}
    assert len(kept) < len(hours)


def test_pages_of_snapshots(save: Callable[..., int], database: Database) -> None:
    first = save()
    second = save(parent=first, trained_from=11, trained_through=20)
    with database.reading() as connection:
        assert [one.id for one in rows.list_snapshots(connection, "hero", before=None, limit=1)] == [second]
        assert [one.id for one in rows.list_snapshots(connection, "hero", before=second, limit=9)] == [first]
        assert rows.list_snapshots(connection, "other", before=None, limit=9) == []
