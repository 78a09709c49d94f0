"""What a call can fail with."""

from collections.abc import Sequence

from elige.client.records import Mistake


class EligeError(Exception):
    """The service refused, or could not be reached.

    `code` is the name of a gRPC status (`NOT_FOUND`, `UNAVAILABLE` …), `message` what the service said of it: which
    value was wrong, and what would be right.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class InvalidCampaign(EligeError):
    """A campaign file is wrong; nothing was changed. `mistakes` holds all that is wrong in it, by line."""

    def __init__(self, mistakes: Sequence[Mistake], *, file_name: str) -> None:
        lines = [f"{file_name or 'campaign'}:{m.line}:{m.column}: {m.field}: {m.message}" for m in mistakes]
        super().__init__("INVALID_ARGUMENT", "\n".join(lines))
        self.mistakes = tuple(mistakes)
