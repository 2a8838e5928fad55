"""Who waits for an answer, and who does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from raspisms.clock import now
from raspisms.conversations import actions, counting, threads
from raspisms.extensions import db
from raspisms.models import Message, Phone
from raspisms.receiving import incoming
from raspisms.sending import expiry, outbox
from raspisms.storage.transactions import transaction
from tests.conversations.steps import hears, the_conversation
from tests.factories import LEA, csrf, deliveries


def test_closing_does_not_swallow_what_nobody_saw(here, client):
    seen = hears(here).id
    hears(here, "URGENT")
    with pytest.raises(actions.Refused):
        actions.close(the_conversation().id, seen)
    assert (the_conversation().unread, the_conversation().is_closed) == (2, False)
    form = {"csrf_token": csrf(client, "/conversations/"), "verb": "close", "conversation": f"1-{seen}"}
    page = client.post("/conversations/bulk", data=form, follow_redirects=True).text
    assert "Un SMS est arrivé entre-temps" in page


def test_an_answer_that_nobody_wrote_answers_nobody(here):
    message = hears(here)
    with transaction() as session:
        incoming.answer_by_itself(session, [(session.get(Message, message.id), "k")], "Fermé")
    threads.mark_read(the_conversation().id, 99)
    assert the_conversation().waiting_since == message.created_at
    outbox.post(here, [LEA], "Alerte")
    assert the_conversation().waiting_since == message.created_at


def test_who_got_no_answer_after_all_waits_again(here):
    message = hears(here)
    answer = outbox.post(here, [LEA], "Oui", user_id=1, expires_at=now() + timedelta(hours=1)).messages[0]
    assert the_conversation().waiting_since is None
    with transaction() as session:
        session.execute(update(Message).where(Message.id == answer.id).values(expires_at=now() - timedelta(seconds=1)))

    expiry.expire_now()
    assert the_conversation().waiting_since == message.created_at


def test_a_failed_answer_makes_the_person_wait_again(app, phone, octopush, callbacks, run_jobs, alice):

    with app.app_context():
        message = hears(db.session.get(Phone, phone.id), number="+33639980004").created_at
        outbox.post(db.session.get(Phone, phone.id), ["+33639980004"], "Oui", user_id=alice.id)
    run_jobs()
    deliveries(octopush, 2)
    run_jobs()
    with app.app_context():
        assert the_conversation().waiting_since == message


def test_reading_everything_is_done_a_few_at_a_time(here, client, monkeypatch):
    monkeypatch.setattr("raspisms.conversations.threads.READ_TOGETHER", 2)
    last = [hears(here, number=f"+3363998{n:04d}").id for n in range(5)][-1]
    client.post("/received/read", data={"csrf_token": csrf(client, "/received/"), "up_to": last})
    db.session.rollback()
    assert counting.unread_count() == 0
