"""Every error has the name of a status code and says what would be right."""

import pytest

from server import errors
from server.errors import (
    EligeError,
    NoSuchCampaign,
    NoSuchDecision,
    NotSupportedYet,
    VersionConflict,
)

CODES = {
    *("INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "ABORTED"),
    *("RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "UNAVAILABLE", "PERMISSION_DENIED", "UNAUTHENTICATED"),
}
CLASSES = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, EligeError)]


@pytest.mark.parametrize("error", [one for one in CLASSES if one is not EligeError], ids=lambda one: one.__name__)
def test_every_error_has_a_code_and_a_meaning(error: type[EligeError]) -> None:
    assert error.code in CODES
    assert error.__doc__


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NoSuchCampaign("hero", ["header", "footer"]), "no campaign 'hero'; known: 'footer', 'header'"),
        (NoSuchCampaign("hero", []), "no campaign 'hero'; known: none"),
        (NoSuchDecision("x"), "no decision 'x': not an identifier of this service"),
        (NotSupportedYet("Activate"), "Activate: not supported yet"),
        (
            VersionConflict("hero", expected=2, found=3),
            "campaign 'hero' is at version 3, expected 2: read it again, then apply",
        ),
    ],
)
def test_messages(error: EligeError, message: str) -> None:
    assert str(error) == message
