"""How a learner that is made of other learners writes its state: a document, then theirs, as bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from policies.base import UnreadableSnapshot


def pack(arguments: str, document: Mapping[str, Any], parts: Sequence[bytes]) -> bytes:
    """One line of JSON, which names the arguments and the sizes of the parts, and the parts."""
    head = {"arguments": arguments, "sizes": [len(part) for part in parts], "document": document}
    return b"".join((orjson.dumps(head), b"\n", *parts))


def unpack(state: bytes, arguments: str) -> tuple[Mapping[str, Any], list[bytes]]:
    """The document and the parts. Raises UnreadableSnapshot for what `pack` did not write under these arguments."""
    line, _, body = state.partition(b"\n")
    try:
        head = orjson.loads(line)
        found, sizes, document = head["arguments"], head["sizes"], head["document"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UnreadableSnapshot(f"{len(state)} bytes: expected a state of {arguments!r}: {error!r}") from error
    if found != arguments:
        raise UnreadableSnapshot(f"a snapshot of {str(found)[:80]!r}: expected one of {arguments!r}")
    if sum(sizes) != len(body):
        raise UnreadableSnapshot(f"{len(body)} bytes of parts: expected {sum(sizes)}")
    parts, start = [], 0
    for size in sizes:
        parts.append(body[start : start + size])
        start += size
    return document, parts
