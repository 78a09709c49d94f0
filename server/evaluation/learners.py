"""How learners that are named by specification are judged: replayed, or a whole grid of them."""

from collections.abc import Sequence
from datetime import timedelta

from server.durations import parse_duration
from server.errors import InvalidRequest
from simulator import Replaying
from simulator.grids import expanded


def learn_every(text: str) -> int | timedelta:
    """`100` decisions, or a time such as `1h`. Raises InvalidRequest."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    try:
        every = parse_duration(text)
    except ValueError:
        every = timedelta(0)
    if every <= timedelta(0):
        raise InvalidRequest(f"learn every {text!r}: expected a number of decisions, as 100, or a time, as 1h")
    return every


def replaying(method: str, every: str, window: timedelta) -> Replaying:
    """What a decision earned is learned once its reward window has closed, as the trainer does. Raises
    InvalidRequest.
    """
    try:
        return Replaying(method, every=learn_every(every), delay=window.total_seconds())
    except ValueError as error:
        raise InvalidRequest(str(error)) from error


def check_learning(replay: str | None, every: str, grid: Sequence[str]) -> None:
    """Raises InvalidRequest, PolicyError for what can't be asked of any log."""
    if grid:
        expanded(grid)
    if replay is not None:
        replaying(replay, every, timedelta(0))
        if grid:
            raise InvalidRequest("a grid is trained first, and a replay is not: ask for one of the two")
