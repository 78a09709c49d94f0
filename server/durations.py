"""Durations as people write them: `30m`, `1h30m`, `3d`, or ISO 8601: `PT30M`, `P3D`."""

import re
from datetime import timedelta

_SHORT = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_ISO = re.compile(r"P(?:([0-9]{1,9})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?")
PATTERN = r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$|^P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$"
"""The same for JSON Schema, which can't say that a part is needed."""


def parse_duration(text: str) -> timedelta:
    """Days, hours, minutes and whole seconds, the largest first. Raises ValueError."""
    match = _SHORT.fullmatch(text) or _ISO.fullmatch(text)
    parts = match.groups() if match and not text.endswith("T") else ()
    if not any(part is not None for part in parts):
        raise ValueError(f"{text!r} is not a duration; expected one such as 30m, 1h30m, 3d or PT30M")
    days, hours, minutes, seconds = (int(part or 0) for part in parts)
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def iso_duration(duration: timedelta) -> str:
    """ISO 8601 for a positive duration of whole seconds: `P1DT2H30M`. `parse_duration` gives the same one back."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    date = f"{duration.days}D" if duration.days else ""
    time = "".join(f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if value)
    return f"P{date}T{time}" if time else f"P{date or 'T0S'}"
