"""The page that tells what the tests of OCPP 1.6 saw on the wire, made from their recording alone.

    python -m tests.support.coverage_page        run the recorded tests and write page and recording again

The recording lies beside this file, since the mutation job chooses its tests by it; the page is part of
the program's help.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.kernel.resources import resource
from tests.support.coverage_record import (
    OFFICE,
    STATION,
    Key,
    Kind,
    Recording,
    Seen,
    enumerations,
)

FOLDERS = ("tests/conformance", "tests/app/ocpp")
"""Where tests have benches of OCPP: what they see is the same in each run."""

OVER_SOCKETS = "tests/e2e/test_independent_office.py"
"""Holds whole sessions with a back office that is not ours."""

PAGE = "resources/help/coverage-1.6.md"
RECORDING = "tests/support/coverage-1.6.json"

ARROWS = {"→": (STATION,), "←": (OFFICE,), "↔": (STATION, OFFICE)}
PROFILES: dict[str, dict[str, str]] = {
    "Core": {
        "Authorize": "→",
        "BootNotification": "→",
        "ChangeAvailability": "←",
        "ChangeConfiguration": "←",
        "ClearCache": "←",
        "DataTransfer": "↔",
        "GetConfiguration": "←",
        "Heartbeat": "→",
        "MeterValues": "→",
        "RemoteStartTransaction": "←",
        "RemoteStopTransaction": "←",
        "Reset": "←",
        "StartTransaction": "→",
        "StatusNotification": "→",
        "StopTransaction": "→",
        "UnlockConnector": "←",
    },
    "Firmware Management": {
        "GetDiagnostics": "←",
        "DiagnosticsStatusNotification": "→",
        "UpdateFirmware": "←",
        "FirmwareStatusNotification": "→",
    },
    "Local Auth List Management": {"SendLocalList": "←", "GetLocalListVersion": "←"},
    "Reservation": {"ReserveNow": "←", "CancelReservation": "←"},
    "Smart Charging": {
        "SetChargingProfile": "←",
        "ClearChargingProfile": "←",
        "GetCompositeSchedule": "←",
    },
    "Remote Trigger": {"TriggerMessage": "←"},
    "Security extension": {
        "CertificateSigned": "←",
        "DeleteCertificate": "←",
        "ExtendedTriggerMessage": "←",
        "GetInstalledCertificateIds": "←",
        "GetLog": "←",
        "InstallCertificate": "←",
        "LogStatusNotification": "→",
        "SecurityEventNotification": "→",
        "SignCertificate": "→",
        "SignedFirmwareStatusNotification": "→",
        "SignedUpdateFirmware": "←",
    },
}
ACTIONS = {action: arrow for rows in PROFILES.values() for action, arrow in rows.items()}
"""The 39 actions of 1.6 with its security extension, and who sends their CALLs."""

RULES = {
    "16-BOOT": range(1, 12),
    "16-HB": range(1, 4),
    "16-ST": range(1, 12),
    "16-AV": range(1, 4),
    "16-AU": range(1, 11),
    "16-LL": range(1, 6),
    "16-TX": range(1, 12),
    "SC": (*range(1, 16), *range(17, 22), *range(30, 33)),
    "RPC": (*range(1, 9), 10, 11, 12, *range(14, 20)),
    "RC": (1, 2, 3, 4, 5, 7),
    "RS": range(1, 10),
    "FW": (1, 2, 3, *range(7, 15)),
    "DG": range(1, 7),
    "CE": (*range(1, 6), 7, 10),
    "CF": (1, 2),
    "MV": (*range(1, 8), *range(11, 16)),
    "OFF": (*range(1, 6), *range(7, 10)),
    "RE": (1, 2, 6, 7),
    "DT": (1, 2, 3),
}
"""The numbers of the rules that 1.6 has, by their group."""

INTRODUCTION = """\
# What the tests of OCPP 1.6 saw

Each of the 39 messages of OCPP 1.6J with its security extension, as the test runs recorded it on the
wire: nothing here was written by hand. `→` the station sends the CALL, `←` the back office does.

*Statuses* are those of the answer; where the answer has none, those that the message itself tells.
*Errors* are the CALLERRORs that came back. *Rules* are named by tests that looked at the message. What
never passed the wire in any test is listed as not seen. *Socket*: it was also part of a session over a
WebSocket with a back office that shares no code with this program. Behind the arrows among the values of
fields stands what the station answered, and below them why it turned requests down.
"""


@dataclass(frozen=True, slots=True)
class Files:
    """Where page and recording are kept."""

    root: Path

    @property
    def page(self) -> Path:
        return self.root / PAGE

    @property
    def recording(self) -> Path:
        return self.root / RECORDING


def load(files: Files) -> Recording:
    """The recording that the page was made from."""
    return Recording.from_json(json.loads(files.recording.read_text("utf-8")))


def rule_ids() -> Iterator[str]:
    """All rules of 1.6."""
    for group, numbers in RULES.items():
        for number in numbers:
            yield f"{group}-{number:02}"


def in_ranges(rules: Iterable[str]) -> str:
    """Rules as a text: 16-ST-01..03, SC-18."""
    groups: dict[str, list[int]] = {}
    for rule in rules:
        group, _, number = rule.rpartition("-")
        groups.setdefault(group, []).append(int(number))
    words = []
    for group in sorted(groups, key=lambda name: (list(RULES).index(name), name)):
        runs: list[list[int]] = []
        for number in sorted(groups[group]):
            if runs and number == runs[-1][1] + 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        shown = [
            f"{first:02}" if first == last else f"{first:02}..{last:02}" for first, last in runs
        ]
        words.append(f"{group}-{', '.join(shown)}")
    return "; ".join(words)


def reasons_of_1_6() -> set[str]:
    """The ids of all sentences with which a station of 1.6 turns something down."""
    text = resource("translations", "en", "v16.toml").read_text("utf-8")
    return {each for each in tomllib.loads(text) if each.startswith("v16.no.")}


def _short(reason: str) -> str:
    return reason.rpartition(".")[2]


def _reasons(reasons: dict[str, set[str]]) -> str:
    return "; ".join(
        f"{status}: {', '.join(sorted(map(_short, ids)))}"
        for status, ids in sorted(reasons.items())
    )


class Page:
    """The page of a recording."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    # ------------------------------------------------------------ rows

    def keys(self, action: str) -> list[Key]:
        """Who sends an action, as keys of the recording."""
        return [(action, sender) for sender in ARROWS[ACTIONS[action]]]

    def seen(self, action: str) -> Seen:
        """All that was seen of an action, from whoever may send it."""
        total = Seen()
        for key in self.keys(action):
            total.add(self.recording.seen.get(key, Seen()))
        return total

    def empty(self, action: str) -> bool:
        """Was this message never answered in the way of a message that works?"""
        return any(
            not (key in self.recording.seen and self.recording.seen[key].answered)
            for key in self.keys(action)
        )

    def statuses(self, action: str) -> tuple[list[str], list[str]]:
        """The statuses seen and those never seen: of the answer, else those the message tells."""
        for kind in ("response", "request"):
            for path, allowed in enumerations(action, kind).items():
                if path.rpartition(".")[2] == "status":
                    return self._split(action, kind, path, allowed)
        return [], []

    def _split(
        self, action: str, kind: Kind, path: str, allowed: tuple[str, ...]
    ) -> tuple[list[str], list[str]]:
        values = self.seen(action).values.get(f"{kind} {path}", set())
        return [one for one in allowed if one in values], [
            one for one in allowed if one not in values
        ]

    # ------------------------------------------------------------ text

    def render(self) -> str:
        """The page as Markdown."""
        return "\n".join(
            [
                INTRODUCTION,
                *self._summary(),
                *self._table(),
                *self._fields(),
                *self._ungiven_reasons(),
                *self._unnamed_rules(),
                "",
            ]
        )

    def _summary(self) -> list[str]:
        full = sum(not self.empty(action) for action in ACTIONS)
        named = sum(rule in self.recording.rules for rule in rule_ids())
        everything = [self.statuses(action) for action in ACTIONS]
        seen = sum(len(one) for one, _ in everything)
        of = seen + sum(len(missing) for _, missing in everything)
        messages = f"{full} of {len(ACTIONS)} messages"
        rules = f"{named} of {len(list(rule_ids()))} rules"
        return [f"**{messages}, {seen} of {of} statuses, {rules}.**", ""]

    def _table(self) -> list[str]:
        lines = [
            "| # | Message | | Statuses | Not seen | Errors | Rules | Tests | Socket |",
            "| --: | --- | :-: | --- | --- | --- | --- | --: | :-: |",
        ]
        number = 0
        for profile, rows in PROFILES.items():
            lines.append(f"| | **{profile}** | | | | | | | |")
            for action in rows:
                number += 1
                lines.append(self._row(number, action))
        return lines

    def _row(self, number: int, action: str) -> str:
        seen = self.seen(action)
        statuses, missing = self.statuses(action)
        plain = "answered" if seen.answered else ("refused" if seen.errors else "never seen")
        socket = any(key in self.recording.over_sockets for key in self.keys(action))
        cells = [
            str(number),
            action,
            ACTIONS[action],
            ", ".join(statuses) or plain,
            ", ".join(missing),
            ", ".join(sorted(seen.errors)),
            in_ranges(seen.rules),
            str(sum(seen.tests.values())),
            "yes" if socket else "",
        ]
        return f"| {' | '.join(cells)} |"

    def _fields(self) -> list[str]:
        lines = [
            "",
            "## Values of fields",
            "",
            "| Message | Field | Seen | Not seen |",
            "| --- | --- | --- | --- |",
        ]
        for action in ACTIONS:
            kinds: tuple[Kind, ...] = ("request", "response")
            for kind in kinds:
                for path, allowed in enumerations(action, kind).items():
                    values, missing = self._split(action, kind, path, allowed)
                    where = path if kind == "request" else f"{path} (answer)"
                    shown = self._answered(action, path, values) if kind == "request" else None
                    lines.append(
                        f"| {action} | {where} | {shown or ', '.join(values)}"
                        f" | {', '.join(missing)} |"
                    )
            reasons = self.seen(action).reasons
            if reasons:
                lines.append(f"| {action} | (why it was turned down) | {_reasons(reasons)} | |")
        return lines

    def _answered(self, action: str, path: str, values: list[str]) -> str | None:
        """The values of a request with what each was answered; None where answers have no status."""
        branches = self.seen(action).branches
        if not any(f"{path}={value}" in branches for value in values):
            return None
        return "; ".join(
            f"{value} → {', '.join(sorted(branches.get(f'{path}={value}', ())))}".removesuffix(
                " → "
            )
            for value in values
        )

    def _ungiven_reasons(self) -> list[str]:
        """Sentences that the station has, and that no test made it say."""
        given = {
            each
            for seen in self.recording.seen.values()
            for ids in seen.reasons.values()
            for each in ids
        }
        ungiven = sorted(_short(each) for each in reasons_of_1_6() - given)
        title = "## Reasons that the station gave in no test"
        return ["", title, "", ", ".join(ungiven) or "None."]

    def _unnamed_rules(self) -> list[str]:
        unnamed = [rule for rule in rule_ids() if rule not in self.recording.rules]
        title = "## Rules that no test names in which a station spoke 1.6"
        return ["", title, "", in_ranges(unnamed) or "None."]

    # ------------------------------------------------------------ against the files

    def write(self, files: Files) -> None:
        """Make this the page and the recording."""
        files.page.parent.mkdir(parents=True, exist_ok=True)
        files.page.write_text(self.render(), "utf-8", newline="\n")
        text = json.dumps(self.recording.as_json(), indent=1)
        # short lists on one line keep the file readable
        text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda found: f"[{_joined(found[1])}]", text)
        files.recording.write_text(text + "\n", "utf-8", newline="\n")

    def differences(self, files: Files, *, sockets: bool = False) -> list[str]:
        """What this run saw otherwise than the page says; only numbers of tests may differ.

        `sockets`: this run held the sessions over sockets, too. They may show more than the page says,
        since their time is real.
        """
        try:
            kept = load(files)
            page = files.page.read_text("utf-8")
        except (OSError, ValueError, KeyError) as error:
            return [f"there is no page yet, or it cannot be read: {error}"]
        lines = [] if page == Page(kept).render() else [f"{PAGE} is not what {RECORDING} says"]
        for key in sorted(kept.seen.keys() | self.recording.seen.keys()):
            lines += _difference(
                key, self.recording.seen.get(key, Seen()), kept.seen.get(key, Seen())
            )
        lines += [f"no longer named: {rule}" for rule in sorted(kept.rules - self.recording.rules)]
        lines += [f"named now: {rule}" for rule in sorted(self.recording.rules - kept.rules)]
        if sockets:
            gone = sorted(kept.over_sockets - self.recording.over_sockets)
            lines += [
                f"{action} of the {sender}: no longer over a socket" for action, sender in gone
            ]
        return lines


def _joined(words: str) -> str:
    return re.sub(r",\s+", ", ", words)


def _difference(key: Key, now: Seen, page: Seen) -> list[str]:
    """In words, what one action's row lacks or has too much."""
    found = []
    parts = {"errors": (now.errors, page.errors), "rules": (now.rules, page.rules)}
    for path in sorted(now.values.keys() | page.values.keys()):
        parts[path] = (now.values.get(path, set()), page.values.get(path, set()))
    for status in sorted(now.reasons.keys() | page.reasons.keys()):
        given = (now.reasons.get(status, set()), page.reasons.get(status, set()))
        parts[f"reasons for {status}"] = given
    for asked in sorted(now.branches.keys() | page.branches.keys()):
        answers = (now.branches.get(asked, set()), page.branches.get(asked, set()))
        parts[f"answers to {asked}"] = answers
    for name, (ours, theirs) in parts.items():
        if ours - theirs:
            found.append(f"{name} not on the page: {', '.join(sorted(ours - theirs))}")
        if theirs - ours:
            found.append(f"{name} on the page, but not seen: {', '.join(sorted(theirs - ours))}")
    if now.answered != page.answered:
        found.append("it is answered" if now.answered else "it is no longer answered")
    return [f"{key[0]} of the {key[1]}: {what}" for what in found]


def main() -> int:
    """Run what is recorded, and write."""
    command = [sys.executable, "-m", "pytest", "-q", "--write-coverage-page", *FOLDERS]
    if (Files(Path.cwd()).root / OVER_SOCKETS).exists():
        command.append(OVER_SOCKETS)
    return subprocess.call([*command, *sys.argv[1:]])


if __name__ == "__main__":
    raise SystemExit(main())
