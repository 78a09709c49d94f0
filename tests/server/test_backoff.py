"""Pauses grow with every failure in a row, and end with the first success or a clock that jumped back."""

from datetime import UTC, datetime, timedelta

from server.backoff import PAUSES, Backoff

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_pauses_grow_to_a_minute() -> None:
    backoff = Backoff()
    now, pauses = NOW, []
    for _ in range(7):
        assert backoff.ready("a", now)
        trouble = backoff.failed("a", "no", now)
        pauses.append(trouble.pause)
        assert not backoff.ready("a", now)
        assert not backoff.ready("a", now + trouble.pause - timedelta(microseconds=1))
        now += trouble.pause
    assert pauses == [*PAUSES, PAUSES[-1], PAUSES[-1]]
    assert trouble.failures == 7


def test_one_key_knows_nothing_of_another() -> None:
    backoff = Backoff()
    backoff.failed("a", "no", NOW)
    assert backoff.ready("b", NOW)


def test_success_starts_from_the_beginning() -> None:
    backoff = Backoff()
    assert backoff.succeeded("a") is None
    backoff.failed("a", "no", NOW)
    backoff.failed("a", "no", NOW)
    ended = backoff.succeeded("a")
    assert ended is not None
    assert ended.failures == 2
    assert backoff.ready("a", NOW)
    assert backoff.failed("a", "no", NOW).pause == PAUSES[0]


def test_only_another_reason_is_news() -> None:
    backoff = Backoff()
    assert [backoff.failed("a", reason, NOW).known for reason in ("x", "x", "y", "y", "x")] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_a_clock_that_jumped_back_does_not_make_a_pause_an_hour_long() -> None:
    backoff = Backoff()
    for _ in PAUSES:
        backoff.failed("a", "no", NOW)
    assert backoff.ready("a", NOW - timedelta(hours=1))
