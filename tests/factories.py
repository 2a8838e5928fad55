"""Things that tests begin with: fixed, readable values."""

from __future__ import annotations

import functools
import time
from datetime import timedelta
from decimal import Decimal

import html5lib
from bs4 import BeautifulSoup
from pwdlib import PasswordHash
from sqlalchemy import select, update

from raspisms import job_queue
from raspisms.adapters.base import Check
from raspisms.clock import now
from raspisms.extensions import bell, db
from raspisms.models import Account, Message, Phone, Removal, Status, Submission, User
from raspisms.phones import saving, tokens
from raspisms.receiving import replies
from raspisms.scheduler import removals
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import outbox, recall
from raspisms.storage.transactions import transaction

PASSWORD = "correct horse battery"
LOGIN = "mairie@example.org"
KEY = "sandbox-key"
NUMBER = "+33755551111"
LEA = "+33639987001"
BOB = "+33639987002"


def settings(**changes):
    return {"login": LOGIN, "api_key": KEY, "number": NUMBER, "sms_type": "sms_premium"} | changes


def phone(name="Mairie", adapter="octopush_virtual_number", **changes):
    """A phone as if its check had passed."""
    draft = saving.Draft(adapter=adapter, name=name, values=settings(**changes))
    assert saving.validate(draft), draft.errors
    saved = saving.save(draft, Check(balance=Decimal("10")))
    db.session.refresh(saved)
    db.session.expunge(saved)
    return saved


def billed(phone, cost, *, parts=1, number=LEA, days_ago=0):
    """A message that left and was paid for, so many days ago."""
    moment = now() - timedelta(days=days_ago)
    with transaction() as session:
        submission = Submission(
            account_id=phone.account_id, phone_id=phone.id, text="x", purpose="information", lane=1, state="accepted",
            closed_at=moment, cost=cost,
        )  # fmt: skip
        session.add(submission)
        session.flush()
        message = Message(
            direction="out", phone_id=phone.id, number=number, text="x", status=Status.DELIVERED, parts=parts,
            cost=cost, submission_id=submission.id, created_at=moment, figures_at=moment,
        )  # fmt: skip
        session.add(message)
    return message.id


def callback_urls(phone, base):
    found = tokens.urls(db.session.get(Phone, phone.id), base)
    return found.status, found.reception


@functools.cache
def password_hash():
    """A real one, made once: a quarter of a second for each test that needs somebody would be most of its time."""
    return PasswordHash.recommended().hash(PASSWORD)


def user(app, email, role):
    """Somebody whose password is PASSWORD."""
    with app.app_context(), transaction() as session:
        added = User(email=email, password_hash=password_hash(), role=role)
        session.add(added)
    return added


def signed_in(app, user):
    """The browser of somebody who signed in before."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = user.session_id
        session["_fresh"] = True
    return client


def sign_in(client, email, password=PASSWORD):
    response = client.post("/login", data={"email": email, "password": password, "csrf_token": csrf(client, "/login")})
    assert response.status_code == 302, response.text


def csrf(client, path):
    """The token of a page's form."""
    page = BeautifulSoup(client.get(path).text, "html5lib")
    return page.find("input", {"name": "csrf_token"})["value"]


def post(app, phone, *numbers, text="Bonjour", **more):
    """Accept messages, as the page does; their ids."""
    with app.app_context():
        posted = outbox.post(db.session.get(Phone, phone.id), numbers or (LEA,), text, **more)
        return [message.id for message in posted.messages]


def message(app, message_id):
    """A fresh look at a message, with its events and submission loaded."""
    with app.app_context():
        found = db.session.get(Message, message_id)
        _ = found.events, found.submission, found.phone
        return found


def all_messages(app, **filters):
    with app.app_context():
        return list(db.session.scalars(select(Message).filter_by(**filters).order_by(Message.id)))


def fresh_phone(app, phone):
    with app.app_context():
        return db.session.get(Phone, phone.id)


def let_time_pass(app, hours=0.0):
    """Make what waits for its time due, and everything so many hours older."""
    with app.app_context(), transaction() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(Account).values(not_before=None))
        session.execute(update(Submission).values(next_attempt_at=past))
        session.execute(update(Phone).values(check_at=past, paced_until=None))
        if hours:
            for message in session.scalars(select(Message)):
                message.sent_at = message.sent_at and message.sent_at - timedelta(hours=hours)
                message.expires_at = message.expires_at and message.expires_at - timedelta(hours=hours)
            for submission in session.scalars(select(Submission).where(Submission.first_attempt_at.is_not(None))):
                submission.first_attempt_at -= timedelta(hours=hours)
                submission.created_at -= timedelta(hours=hours)
                submission.expires_at = submission.expires_at and submission.expires_at - timedelta(hours=hours)


def undo_is_over(app):
    """What was deleted a moment ago goes, as the clock does it."""
    with app.app_context():
        with transaction() as session:
            session.execute(update(Removal).values(due_at=now()))
        removals.work()


def let_go(app):
    """Let the moment pass in which somebody could call their message back, and queue it, as the clock does."""
    with app.app_context():
        with transaction() as session:
            session.execute(update(Message).values(held_until=now() - timedelta(seconds=1)))
        recall.release_due()
        for account in db.session.scalars(select(Account)):
            bell.ring(job_queue.SENDING, job_queue.DRAIN, account.id, timeout=60)


def ring(app):
    """Ring for every account, as the sweep does for those with something due."""
    with app.app_context():
        for account in db.session.scalars(select(Account)):
            bell.ring(job_queue.SENDING, job_queue.DRAIN, account.id, timeout=60)


def sweep(app):
    with app.app_context():
        return scheduler.sweep()


def is_well_received(delivery):
    """A 2xx with nothing in it; how long answers take is judged over the whole run, see conftest.py."""
    return delivery["status"] // 100 == 2 and delivery["empty"]


def until(look, seconds=20.0, what="the awaited thing"):
    """What `look` finds, as soon as it finds something; polls, and fails after `seconds`."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} was not seen within {seconds} s")


def poison_replies(monkeypatch):
    """From now on, a reply that says "poison" meets a mistake of ours."""
    real = replies.apply

    def fails(session, entry, reply):
        if reply.text == "poison":
            raise RuntimeError("a mistake of ours")
        return real(session, entry, reply)

    monkeypatch.setattr(replies, "apply", fails)


def compose(client, path="/messages/new", **changes):
    page = client.get(path)
    from bs4 import BeautifulSoup

    form = BeautifulSoup(page.text, "html5lib").find(id="compose")
    data = {"phone": "1", "to": "06 39 98 70 01", "text": "Bonjour", "key": form.find(id="key")["value"]}
    data["csrf_token"] = form.find("input", {"name": "csrf_token"})["value"]
    return client.post(path, data=data | changes)


def deliveries(octopush, count):
    made = octopush.callbacks.deliveries
    found = until(lambda: len(made) >= count and made, what=f"{count} deliveries")
    assert all(is_well_received(delivery) for delivery in found), found
    return found


def read_page(response, status=200):
    assert response.status_code == status, response.text
    html5lib.HTMLParser(strict=True).parse(response.text)
    page = BeautifulSoup(response.text, "html5lib")
    assert page.title.text.removesuffix(" · RaspiSMS").strip(), "a page needs a title"
    assert len(page.find_all("h1")) == 1, "a page needs one h1"
    return page
