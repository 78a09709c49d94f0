"""Calls of the contract that this version does not have: UNIMPLEMENTED, with what is missing."""

from collections.abc import Callable
from typing import Any, TypeVar

from server.errors import NotSupportedYet

T = TypeVar("T", bound=type)


def unsupported(missing: dict[str, str]) -> Callable[[T], T]:
    """Give a servicer these calls, each of which answers UNIMPLEMENTED and says what is missing."""

    def decorate(servicer: T) -> T:
        for name, what in missing.items():
            if name in vars(servicer):
                raise TypeError(f"{servicer.__name__}.{name} exists: it can't be missing")
            setattr(servicer, name, _refusal(what))
        return servicer

    return decorate


def _refusal(what: str) -> Callable[..., Any]:
    async def refuse(self: Any, request: Any, context: Any) -> Any:
        raise NotSupportedYet(what)

    return refuse
