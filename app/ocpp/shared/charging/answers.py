"""GetCompositeSchedule: what each version is answered, and why it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.kernel.units import stamp
from app.ocpp.shared.charging.book import Book
from app.ocpp.shared.charging.composite import Composite, applies, composite
from app.ocpp.shared.charging.model import (
    DEFAULT_PHASES,
    STATION,
    Installed,
    Kind,
    Recurrency,
    Unit,
    second,
)
from app.ocpp.shared.charging.options import CompositeVariance, Options, StationComposite
from app.ocpp.shared.charging.refusal import Reason, Refusal, refuse
from app.ocpp.shared.charging.station import Site, natural_unit, station_composite

Payload = dict[str, Any]

MOST_STEPS = 50_000
"""Steps of profiles within a window, above which a schedule is not reported: it would fill megabytes."""

NO_LIMIT = 999_999.0
"""Stands for no limit where the wire wants a number and no rating is known (2.0.1 3.6.1)."""


@dataclass(frozen=True, slots=True)
class Question:
    """A GetCompositeSchedule: place, window in seconds from `at`, unit if one was asked for."""

    place: int
    duration: int
    at: datetime
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The response, with the schedule it carries or the reason why it carries none."""

    payload: Payload
    schedule: Composite | None = None
    refusal: Refusal | None = None


def answer_16(question: Question, book: Book, site: Site, options: Options) -> Answer:
    """GetCompositeSchedule.conf. scheduleStart says the start; startSchedule is left out (errata 3.57)."""
    refusal = _refusal_16(question, book, site, options)
    if refusal is not None:
        return Answer({"status": "Rejected"}, refusal=refusal)
    bare = options.variance is CompositeVariance.EMPTY_WITHOUT_PROFILE
    if bare and not _concerned(question, book, site):
        return Answer({"status": "Accepted"})
    schedule = compute(question, book, site, options)
    payload = {
        "status": "Accepted",
        "connectorId": question.place,
        "scheduleStart": stamp(schedule.start),
        "chargingSchedule": {
            "duration": schedule.duration,
            "chargingRateUnit": schedule.unit.value,
            "chargingSchedulePeriod": periods(schedule),
        },
    }
    return Answer(payload, schedule)


def _refusal_16(question: Question, book: Book, site: Site, options: Options) -> Refusal | None:
    place = question.place
    if place != STATION and site.outlet(place) is None:
        return refuse("1.6 5.7", Reason.UNKNOWN_EVSE, "unknown_connector", place=place)
    if place == STATION and options.variance is CompositeVariance.REJECT_ZERO:
        return refuse("1.6 SC-18", Reason.UNSUPPORTED_PARAM, "composite_zero")
    strict = options.variance is CompositeVariance.REJECT_WITHOUT_PROFILE
    if strict and not _concerned(question, book, site):
        return refuse("1.6 SC-18", Reason.INVALID_VALUE, "composite_no_profile", place=place)
    return _window(question, book, "1.6 5.7")


def answer_201(question: Question, book: Book, site: Site, options: Options) -> Answer:
    """GetCompositeScheduleResponse."""
    refusal = _refusal_201(question, book, site, options)
    if refusal is not None:
        info = {"reasonCode": refusal.reason.value}
        return Answer({"status": "Rejected", "statusInfo": info}, refusal=refusal)
    schedule = compute(question, book, site, options)
    payload = {
        "status": "Accepted",
        "schedule": {
            "evseId": question.place,
            "duration": schedule.duration,
            "scheduleStart": stamp(schedule.start),
            "chargingRateUnit": schedule.unit.value,
            "chargingSchedulePeriod": periods(schedule),
        },
    }
    return Answer(payload, schedule)


def _refusal_201(question: Question, book: Book, site: Site, options: Options) -> Refusal | None:
    place, unit = question.place, question.unit
    if place != STATION and site.outlet(place) is None:
        return refuse("K08.FR.05", Reason.UNKNOWN_EVSE, "unknown_evse", place=place)
    if place == STATION and options.station_composite is StationComposite.REJECT:
        return refuse("K08.FR.05", Reason.UNSUPPORTED_PARAM, "composite_zero")
    if unit is not None and unit not in options.units:
        return refuse("K08.FR.07", Reason.UNSUPPORTED_RATE_UNIT, "rate_unit", unit=unit.value)
    return _window(question, book, "K08.FR.05")


def _window(question: Question, book: Book, rule: str) -> Refusal | None:
    """A window that can be computed and sent."""
    duration = question.duration
    if duration < 0:
        return refuse(rule, Reason.INVALID_VALUE, "composite_duration", duration=duration)
    if sum(_steps(item, question) for item in book) > MOST_STEPS:
        return refuse(rule, Reason.INVALID_VALUE, "composite_long", duration=duration)
    return None


def _steps(item: Installed, question: Question) -> int:
    """How many steps of a profile may lie in the window."""
    profile = item.profile
    count = max(len(schedule.periods) for schedule in profile.schedules)
    if profile.kind is not Kind.RECURRING:
        return count
    begin = second(question.at)
    end = begin + question.duration
    if profile.valid_to is not None:
        end = min(end, second(profile.valid_to))
    cycle = (profile.recurrency or Recurrency.DAILY).seconds
    return count * max(1, (end - begin) // cycle + 1)


def _concerned(question: Question, book: Book, site: Site) -> bool:
    """Whether any installed profile says something about the place."""
    outlet = site.outlet(question.place)
    if outlet is None:
        return len(book) > 0
    return any(applies(item, outlet) for item in book)


def compute(question: Question, book: Book, site: Site, options: Options) -> Composite:
    """The composite schedule of a place that exists."""
    unit = question.unit or natural_unit(site, question.place, options)
    outlet = site.outlet(question.place)
    if outlet is None:
        return station_composite(book, site, question.at, question.duration, unit, options)
    return composite(book, outlet, question.at, question.duration, unit, options)


def periods(schedule: Composite) -> list[Payload]:
    """The pieces as chargingSchedulePeriod; numberPhases is left out where it is 3, as its absence says."""
    listed = []
    for piece in schedule.pieces:
        entry: Payload = {
            "startPeriod": piece.start,
            "limit": NO_LIMIT if piece.limit is None else piece.limit,
        }
        if piece.phases not in (None, DEFAULT_PHASES):
            entry["numberPhases"] = piece.phases
        if piece.phase_to_use is not None:
            entry["phaseToUse"] = piece.phase_to_use
        listed.append(entry)
    return listed


def exceeds(proposed: Composite, allowed: Composite) -> int | None:
    """The first second at which a car's own schedule is above what is allowed; None if it never is.

    Both in one unit and from one start (2.0.1 K15.FR.09).
    """
    moments = sorted({piece.start for piece in (*proposed.pieces, *allowed.pieces)})
    for moment in moments:
        wanted, limit = proposed.at(moment).limit, allowed.at(moment).limit
        if limit is not None and (wanted is None or wanted > limit):
            return moment
    return None
