"""The form of one token."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.ocpp.token_types import TOKEN_TYPES
from app.training.tokens import Token, TokenStatus
from ui.rooms.form import QuietCombo, Words, button, label
from ui.theme.qss import repolish

LONGEST_ID = 36
WIDTH = 440


class TokenDialog(QDialog):
    """Adds a token or changes one; `token()` is what was written."""

    def __init__(
        self,
        before: Token | None,
        taken: frozenset[str],
        catalogue: Catalogue,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._say = Words(catalogue, "training_panel")
        self.before = before
        self._taken = taken - ({before.id.casefold()} if before is not None else set())
        self.setWindowTitle(self._say("token.edit" if before is not None else "token.add"))
        self.setMinimumWidth(WIDTH)
        self._make_fields(before or Token(""))
        self._problem = label("", "error", wrap=True)
        self._build()
        self._check()

    def token(self) -> Token:
        """The token as the form has it."""
        return Token(
            id=self.id_field.text().strip(),
            name=self.name_field.text().strip(),
            type=self.type_field.currentData(),
            status=self.status_field.currentData(),
            group=self.group_field.text().strip(),
            expiry=self._expiry()[0],
            single_session=self.single_field.isChecked(),
            message=self.message_field.text().strip(),
        )

    def _make_fields(self, token: Token) -> None:
        say = self._say
        self.name_field = QLineEdit(token.name)
        self.id_field = QLineEdit(token.id)
        self.id_field.setProperty("role", "mono")
        self.id_field.setMaxLength(LONGEST_ID)
        self.type_field = QuietCombo()
        for one in dict.fromkeys((*TOKEN_TYPES, token.type)):
            self.type_field.addItem(one, one)
        self.type_field.choose(token.type)
        self.status_field = QuietCombo()
        for status in TokenStatus:
            if status is not TokenStatus.UNKNOWN:
                self.status_field.addItem(say(f"token_status.{status.value}"), status)
        self.status_field.choose(token.status)
        self.group_field = QLineEdit(token.group)
        self.group_field.setMaxLength(LONGEST_ID)
        self.expiry_field = QLineEdit(_shown(token.expiry))
        self.expiry_field.setPlaceholderText(say("token.expiry_hint"))
        self.single_field = QCheckBox(say("token.single"))
        self.single_field.setChecked(token.single_session)
        self.message_field = QLineEdit(token.message)
        for edit in (self.id_field, self.expiry_field):
            edit.textChanged.connect(self._check)

    def _build(self) -> None:
        say = self._say
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows = (
            ("name", self.name_field),
            ("id", self.id_field),
            ("type", self.type_field),
            ("status", self.status_field),
            ("group", self.group_field),
            ("expiry", self.expiry_field),
            ("message", self.message_field),
        )
        for key, widget in rows:
            caption = label(say(f"token.{key}"), "secondary")
            caption.setBuddy(widget)
            widget.setAccessibleName(say(f"token.{key}"))
            form.addRow(caption, widget)
        form.addRow("", self.single_field)
        cancel = button(say("cancel"))
        cancel.clicked.connect(self.reject)
        self.save = button(say("token.save"), "primary")
        self.save.setDefault(True)
        self.save.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(self._problem, 1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.save)
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 16, 20, 16)
        box.setSpacing(12)
        box.addWidget(label(self.windowTitle(), "title"))
        box.addLayout(form)
        box.addSpacing(4)
        box.addLayout(buttons)

    def _check(self) -> None:
        id_ = self.id_field.text().strip().casefold()
        problem = ""
        if id_ in self._taken:
            problem = self._say("token.taken")
        elif not self._expiry()[1]:
            problem = self._say("token.bad_expiry")
        self._problem.setText(problem)
        self.save.setEnabled(bool(id_) and not problem)
        for edit, bad in (
            (self.id_field, id_ in self._taken),
            (self.expiry_field, not self._expiry()[1]),
        ):
            if (edit.property("state") == "error") != bad:
                edit.setProperty("state", "error" if bad else "")
                repolish(edit)

    def _expiry(self) -> tuple[datetime | None, bool]:
        """The moment typed, and whether it can be read. A day alone lasts until it ends in UTC."""
        text = self.expiry_field.text().strip()
        if not text:
            return None, True
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None, False
        if len(text) == len("2026-12-31"):
            moment = moment.replace(hour=23, minute=59, second=59)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)), True


def _shown(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
