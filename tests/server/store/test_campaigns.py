"""Versions of campaigns: appended, numbered for ever, never overwritten by accident."""

import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from server.errors import NoSuchCampaign, VersionConflict
from server.store import campaigns as rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def append(database: Database) -> Callable[..., StoredCampaign]:
    def append(campaign: str, **given: Any) -> StoredCampaign:
        values = {"state": "active", "document": {"campaign": campaign}, "source": "…", "now": NOW, **given}
        with database.writing() as connection:
            return rows.append_version(connection, campaign=campaign, **values)

    return append


def test_versions_count_up_and_the_number_stays(append: Callable[..., StoredCampaign]) -> None:
    made = [append(name) for name in ("hero", "hero", "footer", "hero")]
    assert [(one.campaign, one.version, one.number) for one in made] == [
        ("hero", 1, 1),
        ("hero", 2, 1),
        ("footer", 1, 2),
        ("hero", 3, 1),
    ]


def test_what_is_read_is_what_was_written(append: Callable[..., StoredCampaign], database: Database) -> None:
    document = {"campaign": "hero", "ñ\n|": [1.5, None, {"x": "😀"}], "big": 2**53}
    written = append("hero", document=document, source="# ñ 😀\n\tx\x01", state="draft")
    append("hero")
    with database.reading() as connection:
        assert asdict(rows.read_version(connection, "hero", 1)) == asdict(written)
        assert rows.read_version(connection, "hero").version == 2


@pytest.mark.parametrize("expected", [0, 1, 3, -1])
def test_a_version_that_is_not_in_force_is_a_conflict(expected: int, append: Callable[..., StoredCampaign]) -> None:
    append("hero")
    append("hero")
    with pytest.raises(VersionConflict, match=f"at version 2, expected {expected}"):
        append("hero", expected_version=expected)
    assert append("hero", expected_version=2).version == 3
    assert append("new", expected_version=0).version == 1


def test_of_many_who_expect_the_same_version_one_wins(
    append: Callable[..., StoredCampaign], open_database: Callable[[], Database]
) -> None:
    append("hero")
    won: list[int] = []

    def race(database: Database) -> None:
        values = {"state": "active", "document": {}, "source": "", "now": NOW, "expected_version": 1}
        try:
            with database.writing() as connection:
                won.append(rows.append_version(connection, campaign="hero", **values).version)  # type: ignore[arg-type]
        except VersionConflict:
            pass

    threads = [threading.Thread(target=race, args=(open_database(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [2]


def test_what_there_is_not(append: Callable[..., StoredCampaign], database: Database) -> None:
    append("hero")
    with database.reading() as connection:
        with pytest.raises(NoSuchCampaign, match="no campaign 'footer'; known: 'hero'"):
            rows.read_version(connection, "footer")
        with pytest.raises(NoSuchCampaign, match="no campaign 'hero version 7'"):
            rows.read_version(connection, "hero", 7)


def test_the_newest_of_each(append: Callable[..., StoredCampaign], database: Database) -> None:
    for name in ("b", "a", "b", "b"):
        append(name)
    with database.reading() as connection:
        assert [(one.campaign, one.version) for one in rows.newest_versions(connection)] == [("a", 1), ("b", 3)]
        assert rows.heads(connection) == {"a": 1, "b": 3}
