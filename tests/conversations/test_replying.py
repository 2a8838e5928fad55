"""Answers that two people write at once, take back or keep for later."""

import threading

from sqlalchemy import select

from raspisms.conversations import unsent_replies
from raspisms.extensions import db
from raspisms.models import (
    Message,
    Role,
    Status,
)
from tests import factories
from tests.conversations.steps import hears
from tests.factories import csrf


def test_an_undo_keeps_a_draft_that_was_begun_since(here):
    hears(here)
    unsent_replies.keep_draft(1, 1, "Deuxième")
    unsent_replies.give_back(1, 1, "Premier")
    assert unsent_replies.draft_of(1, 1) == "Premier\n\nDeuxième"
    unsent_replies.give_back(1, 1, "Premier\n\nDeuxième")
    assert unsent_replies.draft_of(1, 1) == "Premier\n\nDeuxième"


def test_a_draft_that_comes_after_its_answer_is_none(here, client):
    hears(here)
    form = {"csrf_token": csrf(client, "/conversations/1"), "key": "k1", "text": "Ma réponse", "seen": "1"}
    assert client.post("/conversations/1/reply", data=form).status_code == 302
    assert client.post("/conversations/1/draft", data=form).status_code == 204
    assert unsent_replies.draft_of(1, 1) == ""
    client.post("/conversations/1/draft", data=form | {"key": "k2", "text": "Autre"})
    db.session.rollback()
    assert unsent_replies.draft_of(1, 1) == "Autre"


def test_what_was_called_back_can_be_sent_from_the_same_form(here, client):
    hears(here)
    form = {"csrf_token": csrf(client, "/conversations/1"), "key": "k1", "text": "Oui", "seen": "1"}
    client.post("/conversations/1/reply", data=form)
    client.post("/messages/2/recall", data=form)
    client.post("/conversations/1/reply", data=form)
    db.session.rollback()
    assert list(db.session.scalars(select(Message.status).order_by(Message.id)))[1:] == [Status.CANCELLED, Status.HELD]


def test_a_double_click_sends_once(here, client):
    hears(here)
    form = {"csrf_token": csrf(client, "/conversations/1"), "key": "k1", "text": "Oui", "seen": "1"}
    for _ in range(3):
        client.post("/conversations/1/reply", data=form)
    assert db.session.query(Message).filter_by(direction="out").count() == 1


def test_two_colleagues_at_the_same_moment_do_not_both_answer(app, here):
    hears(here)
    bob = factories.user(app, "bob@example.org", Role.MEMBER)
    alice = db.session.get(type(bob), 1)
    statuses, barrier = [], threading.Barrier(2)

    def answer(user):
        browser = factories.signed_in(app, user)
        form = {"csrf_token": csrf(browser, "/conversations/1"), "key": user.email, "text": user.email, "seen": "1"}
        barrier.wait()
        statuses.append(browser.post("/conversations/1/reply", data=form).status_code)

    workers = [threading.Thread(target=answer, args=(user,)) for user in (alice, bob)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(statuses) == [302, 409]


def test_a_sender_that_is_a_name_cannot_be_answered(here, get):
    hears(here, "Promo", "INFO")
    page = get("/conversations/1")
    assert page.find(id="reply") is None
    assert "On ne peut pas répondre" in page.text
