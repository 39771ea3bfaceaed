"""What the picture shows of a snapshot, ready to be compared: bays, faces, screens, sign, chips."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.ocpp.context import BootState
from app.station.kinds import ReaderLamp
from app.station.snapshot import StationSnapshot
from ui.station.cabinet import FaceView
from ui.station.geometry import Cabinet, Plan
from ui.station.header import BarView, BubbleView, ChipView
from ui.station.screen import ScreenView
from ui.station.views import BayView, PictureExtra, Wording, ordered, rating


@dataclass(frozen=True, slots=True)
class Content:
    """All views of one snapshot."""

    views: dict[int, BayView] = field(default_factory=dict)
    faces: dict[int, FaceView] = field(default_factory=dict)
    """Per cabinet."""
    screens: dict[int, ScreenView] = field(default_factory=dict)
    """Per cabinet."""
    sign: str = ""
    bar: BarView = field(default_factory=lambda: BarView("", "", (), "100"))
    lit: bool = True

    @property
    def bubbles(self) -> list[BubbleView]:
        return [BubbleView(v.evse, v.status, v.word, v.subline) for v in self.views.values()]


def compose(
    words: Wording,
    snapshot: StationSnapshot,
    extra: PictureExtra,
    plan: Plan | None,
    *,
    zoom: int,
    selected: int,
) -> Content:
    """Put a snapshot into words and views; the hint is that of the selected EVSE."""
    views = {evse.id: words.bay(evse, snapshot, extra) for evse in snapshot.evses}
    cabinets = plan.cabinets if plan is not None else ()
    return Content(
        views=views,
        faces={c.index: _face(words, snapshot, c, views) for c in cabinets},
        screens={c.index: _screen(words, snapshot, c, views) for c in cabinets},
        sign=_sign(words, snapshot, extra),
        bar=_bar(words, snapshot, zoom, selected),
        lit=snapshot.mains,
    )


def _screen(
    words: Wording, snapshot: StationSnapshot, cabinet: Cabinet, views: dict[int, BayView]
) -> ScreenView:
    say = words.say
    bays = tuple(views[number] for number in cabinet.evses)
    text = snapshot.screen if ordered(snapshot.screen) else None
    if all(snapshot.evse(number).screen == text for number in cabinet.evses):
        text = None  # each place says it already
    return ScreenView(
        bays=bays,
        message=words.render(text) if text is not None else "",
        please=say("screen.out") if len(views) > 1 else "",
        out_of_order=say("screen.faulted"),
        percent=tuple(say("percent", percent=b.car.soc) if b.car else "" for b in bays),
    )


def _face(
    words: Wording, snapshot: StationSnapshot, cabinet: Cabinet, views: dict[int, BayView]
) -> FaceView:
    say = words.say
    reader = next((r for r in snapshot.readers if r.id == cabinet.reader), None)
    lamp = reader.lamp if reader is not None and snapshot.mains else ReaderLamp.OFF
    faulty = reader is not None and reader.faulty
    key = "faulty" if faulty else lamp.value
    evses = [snapshot.evse(number) for number in cabinet.evses]
    name = say(
        "cabinet_many" if len(evses) > 1 else "cabinet",
        current=say(f"current.{evses[0].current.value}"),
        kw=rating(evses[0].max_power),
        n=len(evses),
    )
    return FaceView(
        lamps=tuple((number, views[number].status) for number in cabinet.evses),
        lamp=lamp,
        faulty=faulty,
        reader_label=say(f"reader.{key}"),
        reader_short=say("reader.waiting_short" if key == "waiting" else f"reader.{key}"),
        emergency=snapshot.emergency_stop,
        emergency_label=say("emergency"),
        stop_label=say("stop"),
        start_label=say("start"),
        name=name,
        lit=snapshot.mains,
    )


def _sign(words: Wording, snapshot: StationSnapshot, extra: PictureExtra) -> str:
    """What holds for the whole station, worst first; empty for nothing."""
    say = words.say
    if not snapshot.mains:
        return say("sign.off")
    if snapshot.emergency_stop:
        return say("sign.emergency")
    if not extra.online or not snapshot.network:
        return say("sign.offline_queue", n=extra.queue) if extra.queue else say("sign.offline")
    if extra.boot is BootState.BOOTING:
        return say("sign.booting")
    if extra.boot in (BootState.PENDING, BootState.REJECTED):
        return say(f"sign.{extra.boot.value}")
    if extra.update:
        return say(f"sign.update.{extra.update}")
    if not snapshot.operative:
        return say("sign.unavailable")
    return say("sign.door") if snapshot.door_open else ""


def _bar(words: Wording, snapshot: StationSnapshot, zoom: int, selected: int) -> BarView:
    say = words.say
    chosen = next((evse for evse in snapshot.evses if evse.id == selected), None)
    hint = words.hint(chosen, snapshot)
    title = say("title", n=chosen.id) if chosen is not None else ""
    states = (
        ("mains", "on" if snapshot.mains else "off", snapshot.mains),
        ("network", "on" if snapshot.network else "off", snapshot.network),
        ("door", "open" if snapshot.door_open else "closed", not snapshot.door_open),
    )
    chips = tuple(ChipView(name, say(f"chip.{name}_{state}"), good) for name, state, good in states)
    chips = (*chips, ChipView("faults", say("chip.faults"), good=True))
    return BarView(title, hint, chips, str(zoom))
