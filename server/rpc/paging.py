"""Pages of lists, by key: what comes and goes between two pages moves no other item."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from server.errors import InvalidRequest

T = TypeVar("T")
DEFAULT_SIZE, MAX_SIZE = 50, 1_000
_SCOPE = 6
"""Bytes at the beginning of a token that tell to which list it belongs."""


@dataclass(frozen=True, slots=True)
class Page:
    """How many items of which list, after which key; no key: from the first."""

    size: int
    scope: bytes
    after: str | None

    @classmethod
    def read(cls, size: int, token: str, *, scope: object) -> "Page":
        """`scope`: what else the request says; a token is good for the same list only. Raises InvalidRequest."""
        if size < 0:
            raise InvalidRequest(f"page_size {size}: expected 0 or more")
        ours = hashlib.blake2b(repr(scope).encode(), digest_size=_SCOPE).digest()
        size = min(size or DEFAULT_SIZE, MAX_SIZE)
        if not token:
            return cls(size, ours, None)
        try:
            raw = urlsafe_b64decode(token)
            after = raw[_SCOPE:].decode()
        except ValueError as error:
            raise InvalidRequest(f"page_token {token[:60]!r} was not given out by this service") from error
        if raw[:_SCOPE] != ours:
            raise InvalidRequest(f"page_token {token[:60]!r} belongs to a list with other fields in its request")
        return cls(size, ours, after)

    def token(self, key: str) -> str:
        """Of the page that begins after this key."""
        return urlsafe_b64encode(self.scope + key.encode()).decode()

    def after_number(self) -> int | None:
        """The key where keys are numbers. Raises InvalidRequest."""
        if self.after is None:
            return None
        if not (self.after.isascii() and self.after.isdecimal() and len(self.after) <= 18):
            raise InvalidRequest("page_token was not given out by this service")
        return int(self.after)


def page_of(items: Sequence[T], page: Page, *, key: Callable[[T], str]) -> tuple[Sequence[T], str]:
    """The page's items out of those that come after its key, in the order of the list, and the token of the next page
    ("" on the last).
    """
    shown = items[: page.size]
    if len(items) <= page.size:
        return shown, ""
    return shown, page.token(key(shown[-1]))
