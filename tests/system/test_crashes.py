"""A few rounds of what `python -m tests.system.crashes` does at length."""

from collections.abc import Callable
from random import Random

import pytest

from tests.postgres import Postgres
from tests.system import crashes
from tests.system.running import Server

ROUNDS = 4

pytestmark = pytest.mark.slow


def test_nothing_acknowledged_is_lost_and_all_is_learned_once(serve: Callable[..., Server], database: str) -> None:
    assert crashes.crash(serve, database, rounds=ROUNDS, random=Random()).keys


def test_nor_on_postgresql_behind_an_outbox(serve: Callable[..., Server], postgres: Postgres) -> None:
    with postgres.database() as url:
        assert crashes.crash(lambda: serve(db=url), url, rounds=ROUNDS, random=Random()).keys
