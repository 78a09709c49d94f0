"""What Prometheus is told is what is."""

import socket
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from server.errors import Unavailable
from server.metrics import Figures, told
from server.store.committer import Direct
from server.store.database import Database
from server.store.front import Front
from server.store.outbox import Backlog
from server.store.presence import Presence

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Box:
    """An outbox with so much in it."""

    def __init__(self, backlog: Backlog | None) -> None:
        self._backlog = backlog

    def backlog(self) -> Backlog:
        if self._backlog is None:
            raise Unavailable("it can't be read")
        return self._backlog


@pytest.fixture
def figures(database: Database) -> Callable[..., Figures]:
    def make(box: Box | None = None, **committed: int) -> Figures:
        outbox: Any = box
        front = Front(Direct(database), Presence(), outbox)
        return Figures(front, Counter(committed), clock=lambda: NOW)

    return make


def read(figures: Figures) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(figures)
    samples = (sample for metric in registry.collect() for sample in metric.samples)
    return {f"{one.name}{''.join(one.labels.values())}": one.value for one in samples}


def test_of_an_outbox(figures: Any) -> None:
    known = figures(Box(Backlog(7, NOW - timedelta(seconds=90), 2)), decision=5, outcome=3)
    assert read(known) == {
        "elige_database_up": 1.0,
        "elige_committed_totaldecision": 5.0,
        "elige_committed_totaloutcome": 3.0,
        "elige_outbox_records": 7.0,
        "elige_outbox_oldest_seconds": 90.0,
        "elige_outbox_refused": 2.0,
    }
    assert read(figures(Box(Backlog(0, None, 0))))["elige_outbox_oldest_seconds"] == 0.0
    assert read(figures(Box(Backlog(1, NOW + timedelta(hours=1), 0))))["elige_outbox_oldest_seconds"] == 0.0


def test_without_an_outbox_or_with_one_that_can_not_be_read(figures: Any) -> None:
    assert read(figures()) == read(figures(Box(None))) == {"elige_database_up": 1.0}


def test_that_the_database_is_away(figures: Any) -> None:
    known = figures()
    known._front.presence.lost("it is away")
    assert read(known) == {"elige_database_up": 0.0}


def test_it_is_told_over_http_while_the_block_runs(figures: Any) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{one.getsockname()[1]}"
    with told(figures(decision=5), address):
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as answer:
            assert 'elige_committed_total{kind="decision"} 5.0' in answer.read().decode()
        with pytest.raises(Unavailable, match=f"can't tell metrics on {address}: "), told(figures(), address):
            pass
    with told(figures(), address):  # and let go of
        pass
