"""The log as rows, a day and a chunk at a time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from server.store import export
from server.store.export import TABLES, days, extent, kinds, read_day, read_versions

FIRST = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def two_days(database: Any, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> Any:
    """Five visits on the first day, three on the third."""
    put(hero)
    log.visits(5)
    clock.move(days=2)
    log.visits(3)
    new_trainer().step(clock.now)
    return database


def test_days_are_found_and_gaps_are_not(two_days: Any) -> None:
    assert [day.isoformat()[:10] for day in days(two_days, "hero")] == ["2026-03-01", "2026-03-03"]
    assert list(days(two_days, "other")) == []


def test_an_extent_changes_with_whatever_comes_or_goes(two_days: Any, log: Any, sql: Any, clock: Any) -> None:
    def now() -> Any:
        return extent(two_days, "hero", FIRST)

    seen = [now()]
    assert (seen[0].decisions, seen[0].rewards) == (5, 5)
    made = next(read_day(two_days, "hero", FIRST))["decisions"][0]["decision_id"]
    changes = [
        f"UPDATE decisions SET person = 'x' WHERE decision_id = '{made}'",
        "INSERT INTO outcomes (decision_id, campaign, metric, value, at, received_at, status) "
        f"VALUES ('{made}', 'hero', 'click', 1, '2026-03-01', '2026-03-01', 'pending')",
        "UPDATE outcomes SET status = 'accepted' WHERE status = 'pending'",
        f"DELETE FROM rewards WHERE decision_id = '{made}'",
    ]
    for change in changes:
        sql(change)
        seen.append(now())
    assert len(set(seen)) == len(seen)
    other = extent(two_days, "hero", FIRST.replace(day=3))
    log.visits(1)
    assert now() == seen[-1]
    assert extent(two_days, "hero", FIRST.replace(day=3)).decisions == other.decisions + 1


def test_a_day_in_chunks_is_whole(two_days: Any, sql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    chunks = list(read_day(two_days, "hero", FIRST))
    assert [len(chunk["decisions"]) for chunk in chunks] == [2, 2, 1]
    ids = {row.decision_id for row in sql("SELECT decision_id FROM decisions WHERE at < '2026-03-02'")}
    for name, rows in {"decisions": 5, "choices": 10, "rewards": 5}.items():
        found = [row for chunk in chunks for row in chunk[name]]
        assert len(found) == rows
        assert {row["decision_id"] for row in found} == ids
        assert set(found[0]) == set(TABLES[name].columns.keys())
    for chunk in chunks:  # what belongs to a decision comes with it
        here = {row["decision_id"] for row in chunk["decisions"]}
        assert {row["decision_id"] for name in ("choices", "outcomes", "rewards") for row in chunk[name]} <= here


def test_json_comes_as_text_and_times_as_times(two_days: Any) -> None:
    first = next(read_day(two_days, "hero", FIRST))["decisions"][0]
    assert first["context"] == '{"country":"PT"}' or first["context"] == '{"country":"ES"}'
    assert first["at"] == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert {"time", "json", "text", "int"} == set(kinds(TABLES["decisions"]).values())
    assert kinds(TABLES["rewards"])["reward"] == "float"


def test_versions_in_order(two_days: Any, put: Any, hero: str) -> None:
    put(hero.replace("30m", "1h"))
    assert [row["version"] for row in read_versions(two_days, "hero")] == [1, 2]
