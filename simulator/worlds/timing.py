"""Worlds in which the time matters."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from policies.types import Action, Features
from simulator.logs.log import Floats
from simulator.worlds.single import DAY, START, Come, SlotWorld, alone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR = 3_600.0

ZONES = {"Europe/Madrid": 0.5, "America/Mexico_City": 0.3, "America/Argentina/Buenos_Aires": 0.2}
"""Where people live in `send_times`, and the share of each."""


def seasonal() -> SlotWorld:
    """Four weeks of hours and weekdays: what is liked at noon is not what is liked at night or at the weekend."""
    peaks = {"coffee": 9.0, "lunch": 13.0, "series": 21.0}
    variants = (*(Action(name) for name in peaks), Action("outing"))

    def come(times: Floats, rng: np.random.Generator) -> Come:
        contexts: list[Features] = [
            {"hour": float(hour), "weekday": WEEKDAYS[day]} for day, hour in map(_clock, times.tolist())
        ]
        return Come(contexts, alone(times.size))

    def chances(contexts: Sequence[Features], times: Floats) -> Floats:
        hours = np.array([float(str(context["hour"])) for context in contexts])
        weekend = np.array([context["weekday"] in ("sat", "sun") for context in contexts])
        found = [0.02 + 0.2 * _near(hours, peak, width=2.5) for peak in peaks.values()]
        return np.column_stack([*found, np.where(weekend, 0.16, 0.04)])

    return SlotWorld("seasonal", "banner", variants, "coffee", 28.0, come, chances)


def drifting() -> SlotWorld:
    """Four weeks; for the last of them the best variant becomes the worst, and the worst the best."""
    variants = tuple(Action(name) for name in ("coat", "umbrella", "swimsuit"))
    changes_at = START + 21.0 * DAY

    def come(times: Floats, rng: np.random.Generator) -> Come:
        contexts = [{"device": str(device)} for device in rng.choice(["phone", "desk"], times.size)]
        return Come(contexts, alone(times.size))

    def chances(contexts: Sequence[Features], times: Floats) -> Floats:
        before = np.array([0.18, 0.12, 0.06])
        return np.where((times < changes_at)[:, None], before, before[::-1])

    return SlotWorld("drifting", "teaser", variants, "umbrella", 28.0, come, chances, changes_at=changes_at)


def send_times() -> SlotWorld:
    """Mail sent at one of eight hours in UTC to people in three zones, who read it in their own morning or evening. In
    the last days of the four weeks one of the zones changes to summer time.
    """
    hours = {f"{hour:02}": float(hour) for hour in range(0, 24, 3)}
    variants = tuple(Action(name, {"utc_hour": hour}) for name, hour in hours.items())
    zones = {name: ZoneInfo(name) for name in ZONES}

    def come(times: Floats, rng: np.random.Generator) -> Come:
        contexts = [{"zone": str(zone)} for zone in rng.choice(list(ZONES), times.size, p=list(ZONES.values()))]
        return Come(contexts, alone(times.size))

    def chances(contexts: Sequence[Features], times: Floats) -> Floats:
        # of the day of the decision, at noon: summer time begins at night
        days = np.floor(times / DAY) * DAY + 12.0 * HOUR
        offsets: dict[tuple[str, float], float] = {}
        for context, day in zip(contexts, days, strict=True):
            key = (str(context["zone"]), float(day))
            if key not in offsets:
                offset = datetime.fromtimestamp(key[1], tz=UTC).astimezone(zones[key[0]]).utcoffset()
                offsets[key] = offset.total_seconds() / HOUR if offset else 0.0
        shifts = np.array([offsets[str(c["zone"]), float(day)] for c, day in zip(contexts, days, strict=True)])
        local = (np.array(list(hours.values())) + shifts[:, None]) % 24.0
        return opened(local)

    return SlotWorld("send_times", "send_hour", variants, "09", 28.0, come, chances)


def opened(local: Floats) -> Floats:
    """The chance that a mail is opened which is sent at this local hour, in [0, 24): best at 8, and again at 20."""
    return 0.02 + 0.2 * _near(local, 8.0, width=2.0) + 0.12 * _near(local, 20.0, width=2.0)


def _near(hours: Floats, peak: float, *, width: float) -> Floats:
    """1 at the peak, falling to both sides around the clock as a Gaussian."""
    apart = np.abs(hours - peak)
    near: Floats = np.exp(-(np.minimum(apart, 24.0 - apart) ** 2) / (2.0 * width**2))
    return near


def _clock(time: float) -> tuple[int, int]:
    """Weekday, 0 for Monday, and hour in UTC."""
    since = time - START
    return int(since // DAY) % 7, int(since % DAY // HOUR)
