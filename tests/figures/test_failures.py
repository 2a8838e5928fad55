"""Why SMS failed: one count for the dashboard and for the e-mail that sums up a day."""

import pytest
from sqlalchemy import select

from raspisms.clock import today
from raspisms.figures.failures import Cause, causes
from raspisms.messages.history import add
from raspisms.models import Message, Status
from raspisms.notices import writing
from raspisms.storage.transactions import transaction
from raspisms.web import attention
from tests.factories import BOB, LEA, post

UNKNOWN, BUSY = "Ce numéro n’existe pas.", "Le téléphone était éteint."


@pytest.fixture
def failed(app, here, phone):
    """Léa's failed, was sent again and failed for something else; Bob's failed at once."""
    for number, reasons in ((LEA, (BUSY, UNKNOWN)), (BOB, (UNKNOWN,))):
        [sms] = post(app, phone, number)
        for reason in reasons:
            with transaction() as session:
                add(session, [session.get(Message, sms)], Status.FAILED, reason=reason)
    return select(Message.id).where(Message.status == Status.FAILED)


def test_who_was_sent_to_again_has_failed_for_the_last_reason(failed):
    assert causes(failed, 5) == [Cause(UNKNOWN, 2)]


def test_so_many_at_most_and_the_most_frequent_first(app, here, phone, failed):
    [sms] = post(app, phone, LEA, text="Encore")
    with transaction() as session:
        add(session, [session.get(Message, sms)], Status.FAILED, reason=None)
    assert causes(failed, 5) == [Cause(UNKNOWN, 2), Cause(None, 1)]
    assert causes(failed, 1) == [Cause(UNKNOWN, 2)]


def test_the_dashboard_and_the_e_mail_say_the_same(app, here, alice, failed):
    needs = attention.attention()
    assert (needs.failures, needs.causes) == (2, [Cause(UNKNOWN, 2)])
    mail = writing.digest(today(), alice, "x")
    assert f"2 × {UNKNOWN}" in mail.body
    assert BUSY not in mail.body
