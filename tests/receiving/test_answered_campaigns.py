"""Which campaign a yes is said to."""

from __future__ import annotations

from sqlalchemy import update

from raspisms.clock import now
from raspisms.models import Message, Status
from raspisms.sending import outbox
from raspisms.storage.transactions import transaction
from tests.conversations.steps import campaign, hears
from tests.factories import LEA


def test_a_yes_is_said_to_a_campaign_that_arrived(here):
    first = campaign(here, Status.DELIVERED)
    campaign(here, Status.QUEUED, "jamais partie")
    assert hears(here, "OUI").answered_campaign_id == first


def test_a_word_in_between_does_not_change_what_yes_is_said_to(here):
    first = campaign(here, Status.DELIVERED)
    outbox.post(here, [LEA], "Au fait, merci", user_id=1)
    with transaction() as session:
        session.execute(update(Message).where(Message.campaign_id.is_(None)).values(status=Status.SENT, sent_at=now()))
    assert hears(here, "Oui").answered_campaign_id == first
