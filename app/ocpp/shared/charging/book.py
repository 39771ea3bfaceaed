"""The profiles that are installed: adding, replacing, clearing, looking up. Nothing here changes a book."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from app.ocpp.shared.charging.model import (
    Installed,
    Purpose,
    Source,
    Transaction,
    TransactionId,
)


@dataclass(frozen=True, slots=True)
class Change:
    """A book after a change, and what left it."""

    book: Book
    removed: tuple[Installed, ...] = ()

    @property
    def cleared(self) -> bool:
        """Something was removed: Accepted rather than Unknown."""
        return bool(self.removed)


@dataclass(frozen=True, slots=True)
class Book:
    """All installed profiles, in the order they came."""

    items: tuple[Installed, ...] = ()

    def __iter__(self) -> Iterator[Installed]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def find(self, profile_id: int) -> Installed | None:
        """The profile with that id, whoever installed it."""
        for item in self.items:
            if item.profile.id == profile_id:
                return item
        return None

    def install_16(self, new: Installed) -> Change:
        """Add a profile; it replaces the same id, and the same level and purpose there (SC-07).

        It does so at once, even if its own validity begins later.
        """

        def replaced(old: Installed) -> bool:
            same_rung = (
                old.place == new.place
                and old.profile.purpose is new.profile.purpose
                and old.profile.stack_level == new.profile.stack_level
            )
            return old.ours and (same_rung or old.profile.id == new.profile.id)

        return self._install(new, replaced)

    def install_201(self, new: Installed) -> Change:
        """Add a profile; it replaces the same id, wherever that was (K01.FR.05)."""
        return self._install(
            new,
            lambda old: old.profile.id == new.profile.id and (old.ours or old.source is new.source),
        )

    def install_local(self, new: Installed) -> Change:
        """Add the limit of an energy manager or grid operator; it replaces that source's same id."""
        return self._install(
            new, lambda old: old.source is new.source and old.profile.id == new.profile.id
        )

    def _install(self, new: Installed, replaced: Callable[[Installed], bool]) -> Change:
        change = self.without(replaced)
        return replace(change, book=Book((*change.book.items, new)))

    def without(self, leaves: Callable[[Installed], bool]) -> Change:
        """The book without the profiles that leave."""
        removed = tuple(item for item in self.items if leaves(item))
        gone = {id(item) for item in removed}
        return Change(Book(tuple(item for item in self.items if id(item) not in gone)), removed)

    def clear(
        self,
        *,
        profile_id: int | None = None,
        place: int | None = None,
        purpose: Purpose | None = None,
        level: int | None = None,
    ) -> Change:
        """ClearChargingProfile: the one id, else all that match each of the given filters (SC-17).

        Nothing given clears all. Limits that others than the back office set stay (K10.FR.04/.08/.09).
        """

        def leaves(item: Installed) -> bool:
            if not item.ours:
                return False
            if profile_id is not None:
                return item.profile.id == profile_id
            return _matches(item, place, purpose, level)

        return self.without(leaves)

    def clear_local(self, source: Source, place: int | None = None) -> Change:
        """An energy manager or grid operator lifts its limits, all or those of one place."""
        return self.without(
            lambda item: not item.ours and item.source is source and place in (None, item.place)
        )

    def ended(self, place: int, transaction_id: TransactionId | None) -> Change:
        """A transaction has ended there: its profiles go (SC-06, K02.FR.05)."""
        return self.without(
            lambda item: (
                item.place == place
                and item.profile.purpose is Purpose.TX
                and item.profile.transaction_id in (None, transaction_id)
            )
        )

    def bind(self, place: int, transaction_id: TransactionId) -> Book:
        """Give the id of the transaction, now known, to profiles that came with its remote start."""
        return Book(tuple(_bound(item, place, transaction_id) for item in self.items))

    def orphans(self, running: Collection[tuple[int, Transaction]]) -> Change:
        """Drop profiles of transactions that run no more, such as after a power cut."""

        def runs(item: Installed) -> bool:
            return any(
                item.place == place and item.profile.transaction_id in (None, transaction.id)
                for place, transaction in running
            )

        return self.without(lambda item: item.profile.purpose is Purpose.TX and not runs(item))

    def matching(
        self,
        *,
        place: int | None = None,
        purpose: Purpose | None = None,
        level: int | None = None,
        ids: Collection[int] = (),
        sources: Collection[Source] = (),
    ) -> tuple[Installed, ...]:
        """GetChargingProfiles: `place` None is everywhere, 0 the station only (K09.FR.04-06, SC-25)."""
        return tuple(
            item
            for item in self.items
            if _matches(item, place, purpose, level)
            and (not ids or item.profile.id in ids)
            and (not sources or item.source in sources)
        )


def _matches(
    item: Installed, place: int | None, purpose: Purpose | None, level: int | None
) -> bool:
    profile = item.profile
    return (
        place in (None, item.place)
        and purpose in (None, profile.purpose)
        and level in (None, profile.stack_level)
    )


def _bound(item: Installed, place: int, transaction_id: TransactionId) -> Installed:
    profile = item.profile
    if (
        item.place != place
        or profile.purpose is not Purpose.TX
        or profile.transaction_id is not None
    ):
        return item
    return replace(item, profile=replace(profile, transaction_id=transaction_id))


def reports(items: Iterable[Installed]) -> list[tuple[int, Source, tuple[Installed, ...]]]:
    """The reports to send for found profiles: one for each place and source (SC-24)."""
    groups: dict[tuple[int, Source], list[Installed]] = {}
    for item in items:
        groups.setdefault((item.place, item.source), []).append(item)
    return [(place, source, tuple(found)) for (place, source), found in groups.items()]
