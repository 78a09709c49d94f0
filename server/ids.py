"""Decision ids and person keys.

A decision id carries its time, its campaign and a keyed check, so that a genuine id whose decision is not stored yet is
told from a forged one without asking the database. Ids sort by time.
"""

import hashlib
import hmac
from base64 import b32hexdecode, b32hexencode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from server.errors import InvalidRequest

# 7 bytes microseconds since 1970, 4 bytes campaign number, 6 random bytes, 8 bytes keyed check: 40 characters
_TIME, _CAMPAIGN, RANDOM, _CHECK = 7, 4, 6, 8
_BODY = _TIME + _CAMPAIGN + RANDOM
LENGTH = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class IdParts:
    """What a genuine decision id says by itself."""

    at: datetime
    campaign_number: int


def make_decision_id(secret: bytes, *, at: datetime, campaign_number: int, random: bytes) -> str:
    """An id of LENGTH characters (0-9, a-v). `random` is RANDOM fresh bytes.

    Raises InvalidRequest for a time before 1970.
    """
    micros = _micros(at)
    body = micros.to_bytes(_TIME, "big") + campaign_number.to_bytes(_CAMPAIGN, "big") + random
    return b32hexencode(body + _check(secret, body)).decode().lower()


def earliest_id(at: datetime) -> str:
    """What every id of a decision made at `at` or later sorts after, and every earlier one before: a bound for
    partitions and ranges. It is no decision's id. Raises InvalidRequest for a time before 1970.
    """
    micros = min(_micros(at), 2 ** (8 * _TIME) - 1)  # centuries after the last decision that can be
    return b32hexencode(micros.to_bytes(_TIME, "big")).decode().lower().rstrip("=")


def read_decision_id(secret: bytes, decision_id: str) -> IdParts:
    """Raises InvalidRequest for an id that this installation did not make."""
    # exactly as it was given out, or outcomes would be stored beside their decision: 'ı' and 'ſ' become I and S in
    # upper case, so that a text which only looks like an id would decode
    if len(decision_id) != LENGTH or not decision_id.isascii() or decision_id != decision_id.lower():
        raise InvalidRequest(f"{decision_id[:60]!r} is no decision id: expected {LENGTH} characters out of 0-9 and a-v")
    try:
        raw = b32hexdecode(decision_id.upper())
    except ValueError as error:
        raise InvalidRequest(f"{decision_id!r} is no decision id: expected only 0-9 and a-v") from error
    body, check = raw[:_BODY], raw[_BODY:]
    if not hmac.compare_digest(check, _check(secret, body)):
        raise InvalidRequest(f"{decision_id!r} is no decision id of this installation")
    micros = int.from_bytes(body[:_TIME], "big")
    number = int.from_bytes(body[_TIME : _TIME + _CAMPAIGN], "big")
    return IdParts(_EPOCH + timedelta(microseconds=micros), number)


def person_key(secret: bytes, person: str) -> str:
    """The keyed hash under which a person is stored: 32 hexadecimal digits."""
    return hashlib.blake2b(
        person.encode("utf-8", "surrogatepass"), key=secret, digest_size=16, person=b"elige-person"
    ).hexdigest()


def _micros(at: datetime) -> int:
    micros = (at - _EPOCH) // _MICROSECOND
    if micros < 0:
        raise InvalidRequest(f"{at.isoformat()} lies before 1970: no decision can be that old")
    return micros


def _check(secret: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, key=secret, digest_size=_CHECK, person=b"elige-id").digest()
