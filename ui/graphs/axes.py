"""Where the marks of an axis stand: round numbers, round times, and lines no denser than the pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import ceil, floor, isnan, log10

Points = list[tuple[float, float]]

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


def thinned(times: Sequence[float], values: Sequence[float], columns: int) -> Points:
    """At most two points a column: the lowest and the highest of what falls into it."""
    count = len(times)
    if count <= 2 * columns:
        return list(zip(times, values, strict=True))
    points: Points = []
    for column in range(columns):
        first, last = column * count // columns, (column + 1) * count // columns
        part = values[first:last]
        low, high = min(part), max(part)
        points.append((times[first], low))
        if high > low:
            points.append((times[(first + last) // 2], high))
    points.append((times[-1], values[-1]))
    return points


def runs(points: Points) -> Iterator[Points]:
    """The unbroken parts of a line; where a value is not known there is a gap."""
    run: Points = []
    for point in points:
        if isnan(point[1]):
            if run:
                yield run
            run = []
        else:
            run.append(point)
    if run:
        yield run
