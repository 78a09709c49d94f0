"""Short texts from outside: request ids, keys, persons, candidates' ids."""

from server.errors import InvalidRequest

MAX_BYTES = 256


def check_text(what: str, text: str) -> None:
    """Raise InvalidRequest unless `text`, a `what`, is Unicode text of 1 to MAX_BYTES bytes."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidRequest(f"{what} {text[:60]!r} holds half of a surrogate pair: expected Unicode text") from error
    if not 0 < size <= MAX_BYTES:
        raise InvalidRequest(f"{what} of {size} bytes: expected 1 to {MAX_BYTES}")
