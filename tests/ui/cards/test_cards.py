"""The wallet's cards: what is said of an identifier, what is kept, what each is good for, and the form."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from app.ocpp.token_types import TOKEN_TYPES
from app.training.tokens import TokenList
from ui.cards.dialog import COLOURS, CardDialog
from ui.cards.kinds import judge, made_up, normal
from ui.cards.standing import dressed
from ui.cards.store import DEFAULTS, FILE, CardStore
from ui.theme import Theme
from ui.wallet import Card, CardState

# The offscreen platform says so of every top-level window with a smallest size.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LEFT = Qt.MouseButton.LeftButton


# ---------------------------------------------------------------- identifiers


@pytest.mark.parametrize(
    ("kind", "typed", "sent"),
    [
        ("ISO14443", " 04 a2:9f-1c ", "04A29F1C"),
        ("ISO14443", "no hex", "no hex"),
        ("KeyCode", " 47-11 ", "47-11"),
        ("eMAID", "DE-FOR-C00000001-X", "DE-FOR-C00000001-X"),
    ],
)
def test_hex_identifiers_are_sent_in_capitals_without_separators(
    kind: str, typed: str, sent: str
) -> None:
    assert normal(kind, typed) == sent


@pytest.mark.parametrize(
    ("kind", "uid", "key"),
    [
        ("ISO14443", "04A29F1C", "bytes"),
        ("ISO14443", "04A29F1C112233", "bytes"),
        ("ISO14443", "04A29F1", "odd_length"),
        ("ISO14443", "Z4A29F1C", "no_hex"),
        ("ISO15693", "E004010012345678", "bytes"),
        ("MacAddress", "AABBCCDDEEFF", "bytes"),
        ("eMAID", "DE-FOR-C00000001-X", "good"),
        ("eMAID", "nobody", "no_emaid"),
        ("KeyCode", "4711", "good"),
        ("Central", "a" * 21, "long_16"),
        ("Central", "a" * 37, "too_long"),
        ("Local", "", "empty"),
        ("NoAuthorization", "", "none_needed"),
    ],
)
def test_what_is_said_of_an_identifier(kind: str, uid: str, key: str) -> None:
    opinion = judge(kind, uid)
    assert opinion.text.id == f"cards.check.{key}"
    assert opinion.good is (key in {"bytes", "good", "none_needed"})


@pytest.mark.parametrize("kind", TOKEN_TYPES)
def test_a_made_up_identifier_looks_as_its_kind_does(kind: str) -> None:
    uid = made_up(kind)
    assert judge(kind, uid).good
    assert kind == "NoAuthorization" or made_up(kind) != uid


# ---------------------------------------------------------------- on disk


def test_the_shipped_cards_fit_the_tokens_of_the_training_csms() -> None:
    tokens = TokenList.shipped()
    known = {card.name for card in DEFAULTS if tokens.find(card.uid, card.kind) is not None}
    assert [card.name for card in DEFAULTS] == [
        "Anna Berg",
        "Road Trip",
        "Fleet 12",
        "Guest",
        "Old contract",
        "Lost card",
        "Stranger",
        "Master",
    ]
    assert {card.name for card in DEFAULTS} - known == {"Stranger"}
    for card in DEFAULTS:
        token = tokens.find(card.uid)
        assert token is None or token.name == card.name


def test_cards_come_back_in_their_order(tmp_path: Path) -> None:
    store = CardStore(tmp_path / "new" / "folder")
    cards = [DEFAULTS[3], Card("4711", "PIN", "KeyCode", "red")]
    assert store.save(cards)
    again = CardStore(tmp_path / "new" / "folder")
    assert again.load() == cards
    assert again.problem is None


def test_what_a_card_is_good_for_is_not_kept(tmp_path: Path) -> None:
    CardStore(tmp_path).save([Card("4711", "PIN", state=CardState.BLOCKED, status="Blocked")])
    (card,) = CardStore(tmp_path).load()
    assert (card.state, card.status) == (CardState.PLAIN, "")


def test_an_empty_wallet_stays_empty(tmp_path: Path) -> None:
    CardStore(tmp_path).save([])
    assert CardStore(tmp_path).load() == []


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"cards": 1}', '{"cards": [{"uid": "1"}]}',
     '{"cards": [{"uid": "1", "name": "a", "kind": "Fax", "colour": "red"}]}'],
)  # fmt: skip
def test_a_damaged_file_is_kept_aside_and_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    store = CardStore(tmp_path)
    assert store.load() == list(DEFAULTS)
    assert store.problem is not None
    assert (tmp_path / store.problem.params["file"]).read_text("utf-8") == text
    assert store.save(DEFAULTS[:1])
    assert CardStore(tmp_path).load() == [DEFAULTS[0]]


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    reads, writes = CardStore(tmp_path / "file"), CardStore(tmp_path / "file")
    assert reads.load() == list(DEFAULTS)
    assert not writes.save(DEFAULTS[:1])
    for store in (reads, writes):
        assert store.problem is not None
        assert "wallet.json" in store.problem.params["file"]


# ---------------------------------------------------------------- standing


def test_at_the_training_csms_each_card_says_what_it_is_good_for() -> None:
    shown = dressed(DEFAULTS, Catalogue.load(), TokenList.shipped().all(), {"0477b0e3": 2})
    found = {card.name: (card.state, card.status) for card in shown}
    assert found["Anna Berg"] == (CardState.ACCEPTED, "Accepted")
    assert found["Road Trip"] == (CardState.IN_USE, "In use, EVSE 2")
    assert found["Old contract"] == (CardState.EXPIRED, "Expired")
    assert found["Lost card"] == (CardState.BLOCKED, "Blocked")
    assert found["Stranger"] == (CardState.UNKNOWN, "Unknown")
    assert next(card.note for card in shown if card.name == "Fleet 12") == "Group FLEET A"


def test_an_expiry_counts_from_its_moment_on() -> None:
    before = datetime(2024, 1, 1, tzinfo=UTC)
    shown = dressed(DEFAULTS, Catalogue.load(), TokenList.shipped().all(), now=before)
    assert shown[4].state is CardState.ACCEPTED


def test_elsewhere_nobody_knows_before_a_card_was_shown() -> None:
    for card in dressed(DEFAULTS, Catalogue.load()):
        assert (card.state, card.status) == (CardState.PLAIN, "RFID card")


# ---------------------------------------------------------------- the form


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    made = Theme.load("dark")
    made.apply(qapp)
    return made


def test_a_card_is_written_by_hand(theme: Theme, qtbot: QtBot) -> None:
    dialog = CardDialog(theme, Catalogue.load()).made()
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.save_button.isEnabled()
    qtbot.keyClicks(dialog.name_field, "Bob")
    qtbot.keyClicks(dialog.uid_field, "04 aa bb cc")
    assert dialog.opinion.text() == "4 bytes, as such cards have them."
    qtbot.mouseClick(dialog._colours.button(COLOURS.index("red")), LEFT)
    with qtbot.waitSignal(dialog.accepted):
        qtbot.mouseClick(dialog.save_button, LEFT)
    assert dialog.card() == Card("04AABBCC", "Bob", "ISO14443", "red")
    assert not dialog.removed


def test_an_odd_identifier_is_told_and_can_be_used_all_the_same(theme: Theme, qtbot: QtBot) -> None:
    dialog = CardDialog(theme, Catalogue.load()).made()
    qtbot.addWidget(dialog)
    qtbot.keyClicks(dialog.name_field, "Odd")
    qtbot.keyClicks(dialog.uid_field, "04AA")
    assert "It can be used all the same" in dialog.opinion.text()
    assert dialog.save_button.isEnabled()


@pytest.mark.parametrize("uid", ["", "x" * 37, "4711"])
def test_no_too_long_or_taken_identifier_is_saved(theme: Theme, qtbot: QtBot, uid: str) -> None:
    dialog = CardDialog(theme, Catalogue.load(), taken=["4711"]).made()
    qtbot.addWidget(dialog)
    dialog.kind_field.choose("Central")
    qtbot.keyClicks(dialog.name_field, "Name")
    qtbot.keyClicks(dialog.uid_field, uid)
    assert not dialog.save_button.isEnabled()


def test_a_card_is_edited_and_keeps_its_standing(theme: Theme, qtbot: QtBot) -> None:
    before = Card("04AABBCC", "Bob", colour="violet", state=CardState.BLOCKED, status="Blocked")
    dialog = CardDialog(theme, Catalogue.load(), before, taken=["04AABBCC"]).made()
    qtbot.addWidget(dialog)
    assert dialog.card() == before
    dialog.name_field.selectAll()
    qtbot.keyClicks(dialog.name_field, "Eve")
    qtbot.mouseClick(dialog.save_button, LEFT)
    assert dialog.card() == Card(
        "04AABBCC", "Eve", colour="violet", state=CardState.BLOCKED, status="Blocked"
    )


def test_a_card_can_be_removed_when_it_is_edited_only(theme: Theme, qtbot: QtBot) -> None:
    added = CardDialog(theme, Catalogue.load()).made()
    edited = CardDialog(theme, Catalogue.load(), DEFAULTS[0]).made()
    for dialog in (added, edited):
        qtbot.addWidget(dialog)
        dialog.show()
    assert not added.remove_button.isVisible()
    with qtbot.waitSignal(edited.accepted):
        qtbot.mouseClick(edited.remove_button, LEFT)
    assert edited.removed


def test_an_identifier_is_made_up_for_the_chosen_kind(theme: Theme, qtbot: QtBot) -> None:
    dialog = CardDialog(theme, Catalogue.load()).made()
    qtbot.addWidget(dialog)
    dialog.kind_field.choose("eMAID")
    qtbot.mouseClick(dialog.make_up, LEFT)
    assert judge("eMAID", dialog.card().uid).good


def test_every_control_is_named_and_high_enough(theme: Theme, qtbot: QtBot) -> None:
    dialog = CardDialog(theme, Catalogue.load(), DEFAULTS[0]).made()
    qtbot.addWidget(dialog)
    dialog.show()
    for made in (*dialog._colours.buttons(), dialog.save_button, dialog.make_up):
        assert made.height() >= 32
        assert made.accessibleName() or made.text()
    for name_of in (dialog.name_field, dialog.uid_field, dialog.kind_field):
        assert name_of.height() >= 32
        assert name_of.accessibleName()
    dialog.set_theme(Theme.load("light"))
    dialog.grab()
