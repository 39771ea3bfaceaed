"""The wallet: cards to show to a reader, by click, by key or dragged there."""

from ui.wallet.card import Card, CardState
from ui.wallet.wallet import Wallet

__all__ = ["Card", "CardState", "Wallet"]
