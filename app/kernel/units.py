"""Electrical quantities and time stamps in the spelling that is shown and sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

NOMINAL_VOLTAGE = 230.0
"""Volt, line to neutral, unless the blueprint says otherwise."""

MIN_AC_CURRENT = 6.0
"""Ampere: below this IEC 61851 knows no charging on AC."""

_STAMP = re.compile(
    r"^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?\s*([Zz]|[+-]\d{2}:?\d{2})?$", re.ASCII
)


_STAMP_FORM = "%04d-%02d-%02dT%02d:%02d:%02d"


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`, milliseconds only where there are any."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    # not `strftime`: it takes five times as long, and does not pad years below 1000 everywhere
    text = _STAMP_FORM % (
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
    )
    millis = moment.microsecond // 1000
    return f"{text}.{millis:03d}Z" if millis else f"{text}Z"


def parse_stamp(text: str) -> datetime:
    """Any legal form (offset, fraction of any length, none): an aware moment in UTC.

    A stamp without an offset counts as UTC. Raises ValueError for anything else.
    """
    match = _STAMP.match(text.strip())
    if not match:
        raise ValueError(f"not a date-time: {text!r}")
    day, clock, fraction, zone = match.groups()
    leap = clock.endswith(":60")
    moment = datetime.fromisoformat(f"{day}T{clock[:-2]}59" if leap else f"{day}T{clock}")
    if leap:
        moment += timedelta(seconds=1)
    if fraction:
        moment += timedelta(microseconds=int((fraction[1:] + "000000")[:6]))
    offset = timedelta(0)
    if zone and zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        digits = zone[1:].replace(":", "")
        hours, minutes = int(digits[:2]), int(digits[2:])
        if hours > 23 or minutes > 59:
            raise ValueError(f"not a date-time: {text!r}")
        offset = sign * timedelta(hours=hours, minutes=minutes)
    try:
        return moment.replace(tzinfo=UTC) - offset
    except OverflowError as error:  # the year 1 or 9999, moved over its edge by the offset
        raise ValueError(f"not a date-time: {text!r}") from error


def with_zone(moment: datetime) -> datetime:
    """A moment without a zone is of this computer's.

    Raises ValueError at the edges of the calendar; where they lie depends on Python and the system.
    """
    if moment.tzinfo is not None:
        return moment
    try:
        return moment.astimezone()
    except (OverflowError, OSError) as error:
        raise ValueError(f"no moment of this computer: {moment}") from error
