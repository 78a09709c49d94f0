"""Questions of many coroutines, answered together by one thread; what comes meanwhile is gathered for the next time."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from server.errors import EligeError

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MAX_BATCH = 500
"""Questions answered in one go: a long read would keep others waiting, and the write-ahead log from being recycled."""


class Gathering(Generic[Question, Answer]):
    """Belongs to one event loop."""

    def __init__(self, answer: Callable[[Sequence[Question]], Sequence[Answer | EligeError]]) -> None:
        """`answer` runs in a thread; its answers are in the order of the questions, errors each for its own."""
        self._answer = answer
        self._waiting: deque[tuple[Question, asyncio.Future[Answer]]] = deque()
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """Raises what its question is answered with."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
            try:
                answers = await asyncio.to_thread(self._answer, [question for question, _ in batch])
            except Exception as error:  # noqa: BLE001 a defect: whoever asked is told, and the next are answered
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():  # nobody waits for it any more
                    continue
                if isinstance(answer, EligeError):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
