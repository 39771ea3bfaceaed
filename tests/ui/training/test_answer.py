"""What the composer shows of an answer: a refusal never looks like a yes."""

from datetime import UTC, datetime

import pytest

from app.training.outcome import CallOutcome, OutcomeKind
from ui.training.answer import Sent, outcome_mark, unframed

AT = datetime(2026, 5, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "payload", "glyph"),
    [
        (OutcomeKind.RESULT, {"status": "Accepted"}, "tick"),
        (OutcomeKind.RESULT, {"status": "Scheduled"}, "tick"),
        (OutcomeKind.RESULT, {"configurationKey": []}, "tick"),
        (OutcomeKind.RESULT, {"status": "Rejected"}, "close"),
        (OutcomeKind.RESULT, {"status": "UnknownVendorId"}, "close"),
        (OutcomeKind.ERROR, None, "faulted"),
        (OutcomeKind.TIMEOUT, None, "warning"),
    ],
)
def test_the_shape_tells_yes_from_no(kind, payload, glyph):
    sent = Sent(1, AT, "CS-1", "1.6", "Reset", "{}", raw=False, outcome=CallOutcome(kind, payload))
    assert outcome_mark(sent).glyph == glyph


@pytest.mark.parametrize("levels", [100, 400, 980, 5_000, 20_000])
def test_a_frame_that_is_nested_too_deeply_is_sent_as_it_stands(levels):
    """To write it anew goes down as many levels, more slowly than it was read."""
    data = '{"a":' * levels + "1" + "}" * levels
    found = unframed(f'[2,"id","DataTransfer",{data}]')
    assert found is None or found[0] == "DataTransfer"
    assert found is not None or levels > 100
