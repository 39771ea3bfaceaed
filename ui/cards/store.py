"""The wallet on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.kernel.text import Text
from app.ocpp.token_types import TOKEN_TYPES
from ui.rooms import keep
from ui.wallet import Card

FILE = "wallet.json"
DEFAULTS = (
    Card("04A29F1C", "Anna Berg", colour="blue"),
    Card("0477B0E3", "Road Trip", colour="teal"),
    Card("04F1EE12", "Fleet 12", colour="violet"),
    Card("045D2088", "Guest", colour="green"),
    Card("0419C642", "Old contract", colour="grey"),
    Card("04E8037A", "Lost card", colour="red"),
    Card("08FF126B", "Stranger", colour="ochre"),
    Card("04C0FFEE", "Master", colour="grey"),
)
"""They fit the tokens of the training CSMS; it does not know the stranger."""


class CardStore:
    """The cards in a file of `folder`; without a folder the shipped ones, forgotten at the end.

    `problem` is what a person must know: that the file was damaged or cannot be used.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / FILE
        self._last: list[dict[str, str]] | None = None
        self.problem: Text | None = None

    def load(self) -> list[Card]:
        """The cards that were kept, the shipped ones where nothing was. Raises nothing."""
        self.problem = None
        if self._path is None:
            return list(DEFAULTS)
        try:
            kept = keep.read(self._path)
            aside = kept.aside
            if aside is None and kept.data is not None:
                try:
                    cards = [_card(one) for one in kept.data["cards"]]
                except (KeyError, TypeError, ValueError):
                    aside = keep.put_aside(self._path)
                else:
                    self._last = [_as_data(card) for card in cards]
                    return cards
        except OSError as error:
            self._tell_unusable(error)
            return list(DEFAULTS)
        if aside is not None:
            self.problem = Text("cards.store.damaged", {"file": aside.name})
        return list(DEFAULTS)

    def save(self, cards: Sequence[Card]) -> bool:
        """Keep these cards, in this order; False, and `problem`, when they cannot be written."""
        data = [_as_data(card) for card in cards]
        if self._path is None or data == self._last:
            return True
        try:
            keep.write(self._path, {"format": 1, "cards": data})
        except OSError as error:
            self._tell_unusable(error)
            return False
        self._last = data
        return True

    def _tell_unusable(self, error: OSError) -> None:
        params = {"file": str(self._path), "why": error.strerror or str(error)}
        self.problem = Text("cards.store.unusable", params)


def _as_data(card: Card) -> dict[str, str]:
    """What a card is; what it is good for is learnt anew each time."""
    return {"uid": card.uid, "name": card.name, "kind": card.kind, "colour": card.colour}


def _card(data: Mapping[str, Any]) -> Card:
    values = {name: data[name] for name in ("uid", "name", "kind", "colour")}
    if (
        not all(isinstance(value, str) for value in values.values())
        or data["kind"] not in TOKEN_TYPES
    ):
        raise ValueError("no card")
    return Card(**values)
