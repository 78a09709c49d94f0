"""Questions of many coroutines are answered together, each with its own answer."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from server.errors import InvalidRequest
from server.gathering import MAX_BATCH, Gathering


class Doubling:
    """Doubles numbers, and keeps the batches in which they came. Waits before the first until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[Any]:
        self.batches.append(list(numbers))
        assert self.go.wait(60)
        if 13 in numbers:
            raise ZeroDivisionError("a defect")
        return [InvalidRequest(f"{one} is odd") if one % 2 else 2 * one for one in numbers]


def asked(doubling: Doubling, numbers: Sequence[int], *, late: Sequence[int] = ()) -> list[Any]:
    async def scenario() -> list[Any]:
        gathering: Gathering[int, int] = Gathering(doubling)
        first = [asyncio.create_task(gathering.ask(one)) for one in numbers]
        while not doubling.batches:
            await asyncio.sleep(0)
        later = [asyncio.create_task(gathering.ask(one)) for one in late]
        await asyncio.sleep(0)
        doubling.go.set()
        return await asyncio.gather(*first, *later, return_exceptions=True)

    return asyncio.run(scenario())


def test_everybody_has_their_own_answer() -> None:
    doubling = Doubling()
    two, refused, four = asked(doubling, [1 + 1, 3, 4])
    assert (two, four) == (4, 8)
    assert isinstance(refused, InvalidRequest)
    assert doubling.batches == [[2, 3, 4]]


def test_what_comes_meanwhile_is_answered_next() -> None:
    doubling = Doubling()
    assert asked(doubling, [2], late=[4, 6]) == [4, 8, 12]
    assert doubling.batches == [[2], [4, 6]]


def test_batches_have_their_size() -> None:
    doubling = Doubling()
    numbers = list(range(0, 2 * MAX_BATCH + 4, 2))
    assert asked(doubling, numbers) == [2 * one for one in numbers]
    assert [len(batch) for batch in doubling.batches] == [MAX_BATCH, 2]


def test_a_defect_fails_those_who_asked_and_nobody_after_them() -> None:
    failed, other, fine = asked(Doubling(), [13, 2], late=[4])
    assert isinstance(failed, ZeroDivisionError)
    assert isinstance(other, ZeroDivisionError)
    assert fine == 8


def test_who_gives_up_disturbs_nobody() -> None:
    async def scenario() -> tuple[int, int]:
        doubling = Doubling()
        gathering: Gathering[int, int] = Gathering(doubling)
        gone, stays = (asyncio.create_task(gathering.ask(one)) for one in (2, 4))
        while not doubling.batches:
            await asyncio.sleep(0)
        gone.cancel()
        doubling.go.set()
        answer = await stays
        with pytest.raises(asyncio.CancelledError):
            await gone
        return answer, await gathering.ask(8)

    assert asyncio.run(scenario()) == (8, 16)
