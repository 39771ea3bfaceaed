"""Charging profiles of both versions, in one place to import from.

How it is used: payloads become `ChargingProfile` by `parse_16`/`parse_201`; an `Offer` of one is judged by
`check_16`/`check_201`; what is taken goes into the `Book` by `install_16`/`install_201`, which says what it
replaced. `limit_at` gives the limit in force at an instant with the reasons, `composite` and
`station_composite` a schedule over a window, `answer_16`/`answer_201` the response to GetCompositeSchedule.
`allocate` splits a limit of the station among busy outlets. `Options` hold the choices of the open points.
Everything is pure: a moment is a parameter, a book never changes.
"""

from __future__ import annotations

from app.ocpp.shared.charging.allocation import Demand, allocate
from app.ocpp.shared.charging.answers import (
    Answer,
    Question,
    answer_16,
    answer_201,
    compute,
    exceeds,
    periods,
)
from app.ocpp.shared.charging.book import Book, Change, reports
from app.ocpp.shared.charging.composite import Composite, Piece, composite
from app.ocpp.shared.charging.ladder import Ladder, Rung, Standing, limit_at
from app.ocpp.shared.charging.model import (
    STATION,
    ChargingProfile,
    Installed,
    Kind,
    Outlet,
    Period,
    Purpose,
    Rate,
    Recurrency,
    Schedule,
    Source,
    Transaction,
    Unit,
)
from app.ocpp.shared.charging.options import (
    POINTS_16,
    POINTS_201,
    Algorithm,
    Baseline,
    Coalesce,
    CompositeVariance,
    Conversion,
    MixedPhases,
    MixedUnits,
    NoProfile,
    Options,
    PeriodEdge,
    RatingRole,
    Rounding,
    Sharing,
    StackFallback,
    StationComposite,
    UnitsAcross,
    UnsupportedUnit,
    decide,
)
from app.ocpp.shared.charging.parse import (
    MalformedProfile,
    export,
    parse_16,
    parse_201,
    parse_schedule,
    purpose_16,
    purpose_name_16,
    restore,
    write_16,
    write_201,
    write_schedule,
)
from app.ocpp.shared.charging.phases import phase_conflict
from app.ocpp.shared.charging.refusal import Reason, Refusal
from app.ocpp.shared.charging.resolve import Value
from app.ocpp.shared.charging.rules import Limits, Offer
from app.ocpp.shared.charging.rules16 import check_16
from app.ocpp.shared.charging.rules201 import check_201
from app.ocpp.shared.charging.station import (
    Site,
    make_site,
    natural_unit,
    station_composite,
)
from app.ocpp.shared.charging.units import convert, rounded, significant

__all__ = [
    "POINTS_16",
    "POINTS_201",
    "STATION",
    "Algorithm",
    "Answer",
    "Baseline",
    "Book",
    "Change",
    "ChargingProfile",
    "Coalesce",
    "Composite",
    "CompositeVariance",
    "Conversion",
    "Demand",
    "Installed",
    "Kind",
    "Ladder",
    "Limits",
    "MalformedProfile",
    "MixedPhases",
    "MixedUnits",
    "NoProfile",
    "Offer",
    "Options",
    "Outlet",
    "Period",
    "PeriodEdge",
    "Piece",
    "Purpose",
    "Question",
    "Rate",
    "RatingRole",
    "Reason",
    "Recurrency",
    "Refusal",
    "Rounding",
    "Rung",
    "Schedule",
    "Sharing",
    "Site",
    "Source",
    "StackFallback",
    "Standing",
    "StationComposite",
    "Transaction",
    "Unit",
    "UnitsAcross",
    "UnsupportedUnit",
    "Value",
    "allocate",
    "answer_16",
    "answer_201",
    "check_16",
    "check_201",
    "composite",
    "compute",
    "convert",
    "decide",
    "exceeds",
    "export",
    "limit_at",
    "make_site",
    "natural_unit",
    "parse_16",
    "parse_201",
    "parse_schedule",
    "periods",
    "phase_conflict",
    "purpose_16",
    "purpose_name_16",
    "reports",
    "restore",
    "rounded",
    "significant",
    "station_composite",
    "write_16",
    "write_201",
    "write_schedule",
]
