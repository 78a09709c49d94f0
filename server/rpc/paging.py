"""Pages of lists, by key: what comes and goes between two pages moves no other item."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from server.errors import InvalidRequest

T = TypeVar("T")
DEFAULT_SIZE, MAX_SIZE = 50, 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """How many items, after which key; no key: from the first."""

    size: int
    after: str | None

    @classmethod
    def read(cls, size: int, token: str) -> "Page":
        """Raises InvalidRequest."""
        if size < 0:
            raise InvalidRequest(f"page_size {size}: expected 0 or more")
        try:
            after = urlsafe_b64decode(token).decode() if token else None
        except ValueError as error:
            raise InvalidRequest(f"page_token {token[:60]!r} was not given out by this service") from error
        return cls(min(size or DEFAULT_SIZE, MAX_SIZE), after)

    def after_number(self) -> int | None:
        """The key where keys are numbers. Raises InvalidRequest."""
        if self.after is None:
            return None
        if not self.after.isdecimal():
            raise InvalidRequest("page_token belongs to another list")
        return int(self.after)

    def first(self) -> "Page":
        """The page of a list that was already read from its key on."""
        return replace(self, after=None)


def page_of(items: Sequence[T], page: Page, *, key: Callable[[T], str]) -> tuple[Sequence[T], str]:
    """One page of items in ascending order of their key, and the token of the next page ("" on the last)."""
    rest = items if page.after is None else [item for item in items if key(item) > page.after]
    shown = rest[: page.size]
    more = len(rest) > len(shown)
    return shown, urlsafe_b64encode(key(shown[-1]).encode()).decode() if more else ""
