"""Figures as people read them."""

from __future__ import annotations

from datetime import timedelta

from app.station.snapshot import EvseSnapshot


def power(watts: float) -> tuple[str, str]:
    """Number and unit: 11.0 kW; whole kilowatts from 100 on; watts below one tenth."""
    if 0 < watts < 100:
        return f"{watts:.0f}", "W"
    kilo = watts / 1000
    return (f"{kilo:.0f}" if kilo >= 100 else f"{kilo:.1f}"), "kW"


def energy(watt_hours: float) -> tuple[str, str]:
    """Number and unit: 4.21 kWh."""
    return f"{watt_hours / 1000:.2f}", "kWh"


def duration(span: timedelta) -> str:
    """00:22:58; days in front where there are any."""
    seconds = max(0, int(span.total_seconds()))
    days, seconds = divmod(seconds, 86_400)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{days} d {clock}" if days else clock


def current(evse: EvseSnapshot) -> str:
    """3 × 16.0 A; the phases one by one where they differ."""
    flowing = [amps for amps in evse.currents if amps > 0.05]
    if not flowing:
        return "0 A"
    if len(flowing) == 1 or max(flowing) - min(flowing) < 0.5:
        mean = sum(flowing) / len(flowing)
        return f"{len(flowing)} × {mean:.1f} A" if len(flowing) > 1 else f"{mean:.1f} A"
    return " / ".join(f"{amps:.1f}" for amps in flowing) + " A"
