"""E-mails to the team, on a real mail server: once each, at the right time, and text whatever was written."""

import email
import email.policy

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, update

from raspisms import clock
from raspisms.adapters.base import Reply
from raspisms.clock import now
from raspisms.config import ConfigError, load
from raspisms.extensions import db
from raspisms.figures import days
from raspisms.models import JournalEntry, Mailing, Notice, Phone, Role, User
from raspisms.notices import planning, posting, writing
from raspisms.people import contacts
from raspisms.receiving import replies
from raspisms.scheduler import sweep as scheduler
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from tests import factories
from tests.factories import BOB, LEA
from tests.tree import free_ports

EVIL = "Bonjour\r\nBcc: tous@exemple.fr\r\n.\r\n<b>=1+1</b> \u202eabc " + "😀" * 100


class Letterbox:
    """What the mail server took; it can be told to refuse."""

    def __init__(self):
        self.letters, self.refuse = [], None

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.refuse and self.refuse in envelope.rcpt_tos:
            return "550 no such person"
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append((envelope.rcpt_tos, letter))
        return "250 OK"


@pytest.fixture
def letterbox():
    box = Letterbox()
    [port] = free_ports(1)
    server = Controller(box, hostname="127.0.0.2", port=port)
    server.start()
    box.url = f"smtp://127.0.0.2:{port}"
    yield box
    server.stop()


@pytest.fixture
def here(app, phone, alice, letterbox):
    app.config |= {"SMTP_URL": letterbox.url, "MAIL_FROM": "RaspiSMS <sms@example.org>", "PAGES_URL": "http://sms.lan"}
    with app.app_context():
        yield db.session.get(Phone, phone.id)
        db.session.rollback()


def wants(user_id=1, received=Mailing.ALWAYS, digest=False):
    with transaction() as session:
        session.execute(update(User).where(User.id == user_id).values(mail_received=received, mail_digest=digest))


def hears(phone, text="Bonjour", number=LEA):
    with transaction() as session:
        entry = JournalEntry(phone=phone, phone_id=phone.id, kind="reception", body=b"", received_at=now())
        session.add(entry)
        session.flush()
        return replies.apply(session, entry, Reply(number, text, "", "", now()))


def test_a_received_message_is_mailed_once(here, letterbox):
    wants()
    contacts.save(None, None, "Zoé Martin", LEA, {})
    hears(here, "Êtes-vous ouverts ?")
    posting.post_due()
    posting.post_due()
    [(to, letter)] = letterbox.letters
    assert to == ["alice@example.org"]
    assert letter["Subject"] == "Vous avez reçu un SMS"
    assert letter["Auto-Submitted"] == "auto-generated"
    body = letter.get_content()
    assert "De : Zoé Martin (06 39 98 70 01)" in body.replace("\xa0", " ")
    assert "| Êtes-vous ouverts ?" in body
    assert "http://sms.lan/conversations/1" in body


def test_what_was_written_stays_text(here, letterbox):
    wants()
    contacts.save(None, None, "Zoé\u202e=cmd", LEA, {})
    hears(here, EVIL)
    posting.post_due()
    [(to, letter)] = letterbox.letters
    assert to == ["alice@example.org"]
    assert letter["Bcc"] is None
    assert letter.get_content_type() == "text/plain"
    lines = letter.get_content().splitlines()
    assert "| Bcc: tous@exemple.fr" in lines
    assert "| ." in lines
    assert any(line.startswith("| <b>=1+1</b>") for line in lines)


def test_many_messages_are_one_letter_and_each_has_its_own_reader(app, here, letterbox):
    factories.user(app, "bob@example.org", Role.MEMBER)
    wants(1)
    wants(2)
    for text in ("Un", "Deux", "Trois"):
        hears(here, text)
    posting.post_due()
    assert sorted(to for to, _ in letterbox.letters) == [["alice@example.org"], ["bob@example.org"]]
    assert {letter["Subject"] for _, letter in letterbox.letters} == {"Vous avez reçu 3 SMS"}


def test_a_refused_letter_waits_and_holds_up_nobody(app, here, letterbox):
    factories.user(app, "bob@example.org", Role.MEMBER)
    wants(1)
    wants(2)
    letterbox.refuse = "alice@example.org"
    hears(here)
    posting.post_due()
    assert [to for to, _ in letterbox.letters] == [["bob@example.org"]]
    [left] = db.session.scalars(select(Notice).where(Notice.sent_at.is_(None)))
    assert (left.attempts, left.user_id) == (1, 1)
    assert left.due_at > now()
    letterbox.refuse = None
    with transaction() as session:
        session.execute(update(Notice).values(due_at=now()))
    posting.post_due()
    assert [to for to, _ in letterbox.letters] == [["bob@example.org"], ["alice@example.org"]]


def test_a_mail_server_that_is_away_loses_nothing(app, here, letterbox):
    wants()
    hears(here)
    app.config["SMTP_URL"] = "smtp://127.0.0.1:1"
    posting.post_due()
    assert db.session.scalar(select(Notice.attempts)) == 1
    app.config["SMTP_URL"] = letterbox.url
    with transaction() as session:
        session.execute(update(Notice).values(due_at=now()))
    posting.post_due()
    assert len(letterbox.letters) == 1


def test_the_clock_rings_for_letters(app, here, letterbox, run_jobs):
    wants()
    hears(here)
    scheduler.sweep()
    run_jobs()
    assert len(letterbox.letters) == 1


@pytest.mark.parametrize(
    ("wish", "is_open", "letters"),
    [
        ("never", True, 0),
        ("always", True, 1),
        ("open", True, 1),
        ("open", False, 0),
        ("closed", True, 0),
        ("closed", False, 1),
    ],
)
def test_everybody_is_told_when_they_want_to_be(here, letterbox, monkeypatch, wish, is_open, letters):
    monkeypatch.setattr("raspisms.team.opening_hours.is_open", lambda *_: is_open)
    wants(received=Mailing(wish))
    hears(here)
    posting.post_due()
    assert len(letterbox.letters) == letters


def test_the_day_before_comes_once_each_morning(here, letterbox, monkeypatch):
    wants(received=Mailing.NEVER, digest=True)
    hears(here)
    hears(here, number=BOB)
    monkeypatch.setattr(planning, "DIGEST_AT", now().time().replace(hour=0, minute=0))
    for _ in range(3):
        planning.plan_digests()
        posting.post_due()
    [(_, letter)] = letterbox.letters
    body = letter.get_content().replace("\xa0", " ")
    assert "SMS reçus : 0" in body  # yesterday
    assert "SMS non lus : 2" in body
    assert "Personnes qui attendent une réponse : 2" in body


def test_without_a_mail_server_nothing_is_planned(app, here):
    app.config["SMTP_URL"] = None
    wants(digest=True)
    hears(here)
    planning.plan_digests()
    assert db.session.scalar(select(Notice.id)) is None


def test_a_password_is_not_sent_in_the_clear(app, here, letterbox):
    wants()
    hears(here)
    app.config["SMTP_URL"] = letterbox.url.replace("smtp://", "smtp://u:p@")
    posting.post_due()
    assert letterbox.letters == []
    assert "encryption" in db.session.scalar(select(Notice.reason))


@pytest.mark.parametrize("url", ["http://x", "smtp://", "mail"])
def test_a_mail_server_that_cannot_be_stops_the_start(url):
    with pytest.raises(ConfigError):
        load({"RASPISMS_SMTP_URL": url, "RASPISMS_MAIL_FROM": "a@b.fr"})


def test_a_mail_server_needs_a_sender():
    with pytest.raises(ConfigError):
        load({"RASPISMS_SMTP_URL": "smtp://h"})


def test_the_figures_of_a_digest_are_those_of_the_page(here, letterbox):
    hears(here)
    today = clock.today()
    assert days.by_day(today, today, None).received == 1
    assert preferences.current().away_text == ""


def test_a_letter_that_cannot_be_written_holds_up_no_other(here, app, letterbox, monkeypatch):
    factories.user(app, "bob@example.org", Role.MEMBER)
    with transaction() as session:
        session.execute(update(User).values(mail_received=Mailing.ALWAYS))
        message = replies_of(here, session)
        planning.received(session, message)
    real = writing.received

    def unwritable(messages, user, name):
        if user.email.startswith("alice"):
            raise KeyError("no such language")
        return real(messages, user, name)

    monkeypatch.setattr(writing, "received", unwritable)
    posting.post_due()
    assert [to for to, _ in letterbox.letters] == [["bob@example.org"]]
    waiting = db.session.scalars(select(Notice).where(Notice.sent_at.is_(None))).all()
    assert [(one.user_id, one.reason) for one in waiting] == [(1, "KeyError")]


def replies_of(phone, session):
    from raspisms.receiving import incoming

    return incoming.store(session, phone, LEA, "Bonjour", now())


def test_a_job_that_has_no_more_time_leaves_the_rest_for_later(here, app, letterbox):
    with transaction() as session:
        session.execute(update(User).values(mail_received=Mailing.ALWAYS))
        planning.received(session, replies_of(here, session))
    posting.post_due(seconds=-1)
    assert letterbox.letters == []
    assert db.session.scalar(select(Notice.reason)) == posting.TIME_OVER
