"""What the e-mails say: plain text, in the language of the person who reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from email.utils import format_datetime

from babel.dates import format_date
from babel.dates import format_datetime as babel_datetime
from flask import current_app
from sqlalchemy import func, select

from .. import clock, labels
from ..clock import now
from ..conversations import counting
from ..extensions import db
from ..figures import days, failures
from ..i18n import N_, translate
from ..models import Conversation, Direction, Message, Status, User
from ..people import contact_list
from ..sms import phone_numbers

CAUSES = 5


@dataclass(frozen=True)
class Mail:
    """A subject and a body."""

    subject: str
    body: str
    name: str
    """Makes the same mail, sent twice after a crash, recognisable: its Message-ID."""


def as_email(mail: Mail, user: User) -> EmailMessage:
    """What is posted to somebody of the team."""
    email = EmailMessage()
    email["Subject"] = one_line(mail.subject)
    email["From"] = current_app.config["MAIL_FROM"]
    email["To"] = user.email
    email["Date"] = format_datetime(now())
    domain = current_app.config["MAIL_FROM"].rpartition("@")[2].strip("<> ") or "localhost"
    email["Message-ID"] = f"<{mail.name}@{domain}>"
    # Automatic answers to automatic mails go round for ever.
    email["Auto-Submitted"] = "auto-generated"
    email.set_content(mail.body)
    return email


def one_line(words: str) -> str:
    """Words as a header may hold them: no line ends, no marks that turn the direction of reading."""
    return re.sub(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+", " ", words).strip()


def received(messages: Sequence[Message], user: User, name: str) -> Mail:
    """What people wrote to us: one mail, however many they are."""
    locale = user.locale
    names = contact_list.names_of([message.number for message in messages])
    subject = translate(locale, N_("Vous avez reçu un SMS"))
    if len(messages) > 1:
        subject = translate(locale, N_("Vous avez reçu %(count)s SMS"), count=len(messages))
    parts = [_one(message, names.get(message.number), locale) for message in messages]
    return Mail(subject, "\n\n".join(parts) + "\n", name)


def _one(message: Message, name: str | None, locale: str) -> str:
    zone = clock.zone()
    number = one_line(phone_numbers.pretty(message.number))
    who = f"{one_line(name)} ({number})" if name else number
    when = babel_datetime(message.created_at.astimezone(zone), "d MMMM yyyy, HH:mm", locale=locale)
    conversation = db.session.scalar(
        select(Conversation.id).where(Conversation.phone_id == message.phone_id, Conversation.number == message.number)
    )
    lines = [
        translate(locale, N_("De : %(who)s"), who=who),
        translate(locale, N_("À : %(phone)s"), phone=one_line(message.phone.name)),
        translate(locale, N_("Le : %(when)s"), when=when),
        "",
        # Each line begins with a mark: nothing in it can pass for what we say.
        *(f"| {line}" for line in (message.text or translate(locale, N_("(vide)"))).splitlines()),
        "",
        translate(locale, N_("Répondre : %(url)s"), url=_url(f"/conversations/{conversation}")),
    ]
    return "\n".join(lines)


def digest(day: date, user: User, name: str) -> Mail:
    """A day in a few lines: what came, what left, what failed and why, who waits."""
    locale = user.locale
    figures = days.by_day(day, day, None)
    totals = figures.totals
    shown = format_date(day, "EEEE d MMMM", locale=locale)
    lines = [
        translate(locale, N_("SMS reçus : %(number)s"), number=figures.received),
        translate(locale, N_("SMS écrits : %(number)s"), number=sum(totals.values())),
    ]
    lines += [
        f"  {translate(locale, labels.STATUS_LABELS[status])}: {totals[status]}"
        for status in days.SHOWN
        if totals.get(status)
    ]
    causes = _causes(day, locale)
    if causes:
        lines += ["", translate(locale, N_("Pourquoi des SMS ne sont pas arrivés :")), *causes]
    unread = counting.unread_count()
    waiting = db.session.scalar(select(func.count()).where(Conversation.waiting_since.is_not(None))) or 0
    lines += [
        "",
        translate(locale, N_("SMS non lus : %(number)s"), number=unread),
        translate(locale, N_("Personnes qui attendent une réponse : %(number)s"), number=waiting),
        "",
        _url("/"),
    ]
    return Mail(translate(locale, N_("RaspiSMS, %(day)s"), day=shown), "\n".join(lines) + "\n", name)


def _causes(day: date, locale: str) -> list[str]:
    start, end = clock.bounds(day)
    failed = (
        select(Message.id)
        .where(Message.created_at >= start, Message.created_at < end, Message.direction == Direction.OUT)
        .where(Message.status == Status.FAILED)
    )
    unsaid = labels.STATUS_SENTENCES[Status.FAILED]
    return [
        f"  {cause.number} × {translate(locale, cause.reason or unsaid)}" for cause in failures.causes(failed, CAUSES)
    ]


def _url(path: str) -> str:
    return f"{current_app.config['PAGES_URL']}{path}"
