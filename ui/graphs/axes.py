"""Where the marks of an axis stand: round numbers, round times, and lines no denser than the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil, floor, log10

Curve = tuple[Sequence[float], Sequence[float]]
"""Times and the values at them."""

_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def round_steps(top: float, most: int) -> list[float]:
    """Round numbers from zero up to `top`, at most `most` above zero."""
    rough = top / max(1, most)
    power = 10.0 ** floor(log10(rough)) if rough > 0 else 1.0
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [step * number for number in range(int(top / step + 1e-9) + 1)]


def time_steps(start: float, end: float, most: int) -> list[tuple[float, str]]:
    """Round times of the local clock between two moments (epoch seconds), with their words."""
    rough = (end - start) / max(1, most)
    step = next((seconds for seconds in _TIMES if seconds >= rough), _TIMES[-1])
    offset = datetime.fromtimestamp(start).astimezone().utcoffset()
    shift = offset.total_seconds() if offset else 0.0
    first = ceil((start + shift) / step) * step - shift
    words = "%H:%M:%S" if step < 60 else "%H:%M"
    count = max(0, int((end - first) / step) + 1)
    moments = [first + step * number for number in range(count)]
    return [(at, datetime.fromtimestamp(at).astimezone().strftime(words)) for at in moments]


def thinned(times: Sequence[float], values: Sequence[float], columns: int) -> Curve:
    """At most two points a column: the lowest and the highest of what falls into it."""
    count = len(times)
    if count <= 2 * columns:
        return times, values
    some_times, some_values = [], []
    for column in range(columns):
        first, last = column * count // columns, (column + 1) * count // columns
        part = values[first:last]
        low, high = min(part), max(part)
        some_times.append(times[first])
        some_values.append(low)
        if high > low:
            some_times.append(times[(first + last) // 2])
            some_values.append(high)
    some_times.append(times[-1])
    some_values.append(values[-1])
    return some_times, some_values
