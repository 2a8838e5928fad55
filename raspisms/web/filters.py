"""What every template can use: labels, dates, money, numbers, the banner of alarms."""

from __future__ import annotations

import functools
import hashlib
import math
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel.dates import format_timedelta
from babel.numbers import format_currency, format_decimal
from flask import Flask, current_app, request, url_for
from flask_babel import format_date, format_datetime, get_locale, gettext, to_user_timezone
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape
from sqlalchemy import func, select

from .. import labels
from ..clock import now
from ..conversations import counting
from ..extensions import db
from ..figures.prices import price_of
from ..labels import PHONE_LABELS, STATUS_LABELS, STATUS_SENTENCES
from ..machine.addresses import is_local
from ..messages import restored, search
from ..models import Action, Message, MessageEvent, Phone, Recipient, Status
from ..models.phone import PAUSED_STATUSES
from ..operations import health
from ..phones import choosing
from ..phones.settings import adapter_class
from ..sms import phone_numbers
from . import menu

# Shape and colour of each state: never the colour alone.
STATE_CLASSES: dict[str, str] = {
    "held": "waiting",
    "queued": "waiting",
    "sending": "waiting",
    "sent": "sent",
    "delivered": "delivered",
    "received": "delivered",
    "failed": "failed",
    "expired": "failed",
    "cancelled": "cancelled",
    "unknown": "unknown",
    "available": "delivered",
    "unverified": "unknown",
    "unavailable": "failed",
    "no_credit": "failed",
    "disabled": "waiting",
}


MACHINE_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00)?)?")
WEB_ADDRESS = re.compile(r"https?://[^\s<>\"']+")


def init_app(app: Flask) -> None:
    """Give the templates their filters and the things that every page shows."""
    app.template_filter("number")(phone_numbers.pretty)
    app.template_filter("euros")(euros)
    app.template_filter("moment")(moment)
    app.template_filter("short_moment")(short_moment)
    app.template_filter("initials")(initials)
    app.template_filter("seconds_left")(seconds_left)
    app.template_filter("exact")(exact)
    app.template_filter("date")(plain_date)
    app.template_filter("second")(second)
    app.template_filter("day")(day)
    app.template_filter("clock")(clock)
    app.template_filter("month")(month)
    app.template_filter("since")(since)
    app.template_filter("linked")(linked)
    app.template_filter("searched")(search.marked)
    app.template_filter("why")(why)
    app.template_filter("option")(lambda phone: (phone.id, phone.name))
    app.template_filter("duration")(duration)
    app.template_filter("decimal")(decimal)
    app.template_filter("count")(count)
    app.template_filter("weekday")(weekday)
    app.template_filter("dated")(dated)
    app.template_filter("datum")(datum)
    app.template_filter("short_day")(short_day)
    app.jinja_env.globals.update(
        STATUS_LABELS=STATUS_LABELS,
        STATUS_SENTENCES=STATUS_SENTENCES,
        STATUS_BY_VALUE={status.value: label for status, label in STATUS_LABELS.items()},
        PHONE_LABELS=PHONE_LABELS,
        STATE_CLASSES=STATE_CLASSES,
        CAMPAIGN_LABELS=labels.CAMPAIGN_LABELS,
        FATE_LABELS=labels.FATE_LABELS,
        IMPORT_LABELS=labels.IMPORT_LABELS,
        ORIGIN_LABELS=labels.ORIGIN_LABELS,
        message_label=labels.of,
        event_label=event_label,
        why_not=why_not,
        current_locale=get_locale,
        asset=asset,
        menu=menu.bar,
        csrf_input=csrf_input,
        clock_is_behind=health.clock_is_behind,
        is_local=is_local,
        limit_of=limit_of,
        price_of=price_of,
    )
    app.context_processor(_everywhere)


def csrf_input() -> Markup:
    """What every form that changes something carries."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def _everywhere() -> dict[str, Any]:
    """The alarms and the unread count, for people who are signed in and ask for a whole page."""
    if not current_user or not current_user.is_authenticated or request.args.get("fragment"):
        return {"alarms": [], "unread": 0, "restored": None, "troubles": (), "only_training": False}
    paused = list(db.session.scalars(select(Phone).where(Phone.status.in_(PAUSED_STATUSES)).order_by(Phone.name)))
    return {
        "alarms": [(phone, waiting(phone)) for phone in paused],
        "unread": counting.unread_count(),
        "restored": restored.current(db.session()),
        "troubles": health.troubles(),
        "only_training": choosing.only_training(),
    }


def waiting(phone: Phone) -> int:
    """Messages of this phone that have not left."""
    query = select(func.count()).select_from(Message)
    return db.session.scalar(query.where(Message.phone_id == phone.id, Message.status == Status.QUEUED)) or 0


def euros(amount: Decimal | None) -> str:
    """An amount; tenths of cents are shown where they matter, below one euro."""
    if amount is None:
        return "—"
    if 0 < abs(amount) < 1 and amount != round(amount, 2):
        pattern = "#,##0.000\N{NO-BREAK SPACE}¤" if str(get_locale()) == "fr" else "¤#,##0.000"
        return format_currency(amount, "EUR", pattern, locale=get_locale(), currency_digits=False)
    return format_currency(amount, "EUR", locale=get_locale())


def exact(when: datetime | None) -> str:
    """Date and time to the minute, in the installation's zone."""
    if when is None:
        return ""
    return str(gettext("%(day)s à %(time)s", day=format_datetime(when, "EEEE d MMMM yyyy"), time=clock(when)))


def moment(when: datetime | None) -> Markup:
    """A time as people say it, with the exact one for the mouse, the keyboard and screen readers."""
    if when is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        when.isoformat(), exact(when), escape(_relative(when))
    )


def short_moment(when: datetime | None) -> Markup:
    """The same in a word or two, for a list: "7 min", "14:05", "hier", "24 nov."."""
    if when is None:
        return Markup("")
    minutes = int((now() - when).total_seconds() // 60)
    # A page that stays open counts on by itself (see app.js).
    counting_on = Markup(' data-minutes="{}" data-then="{}"').format(minutes, clock(when)) if 0 <= minutes < 60 else ""
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(
        when.isoformat(), exact(when), counting_on, _short(when, minutes)
    )


def _short(when: datetime, minutes: int) -> str:
    local, today = to_user_timezone(when).date(), to_user_timezone(now()).date()
    if -1 <= minutes < 60:
        return str(gettext("%(minutes)s min", minutes=max(1, minutes)))
    if local == today:
        return clock(when)
    if local == today - timedelta(days=1):
        return str(gettext("hier"))
    return str(format_date(local, "d MMM" if local.year == today.year else "dd/MM/yy"))


def initials(name: str) -> str:
    """One or two letters that stand for a person: "lea.martin" is LM."""
    words = [word for word in re.split(r"[\W_]+", name) if word]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def plain_date(when: datetime) -> str:
    """The day of a time in full, within a sentence."""
    return str(format_date(to_user_timezone(when), "d MMMM yyyy"))


def seconds_left(message: Message) -> int:
    """For how long a message can still be called back."""
    return max(0, math.ceil((message.held_until - now()).total_seconds())) if message.held_until else 0


def second(when: datetime) -> Markup:
    """A time as a history needs it: with its day when that is not today, and the second for who points at it."""
    local, today = to_user_timezone(when).date(), to_user_timezone(now()).date()
    shown = format_datetime(when, "HH:mm" if local == today else "d MMM yyyy, HH:mm")
    precise = format_datetime(when, "d MMMM yyyy, HH:mm:ss")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(when.isoformat(), precise, shown)


def day(when: datetime) -> str:
    """The day of a time, as people say it."""
    local, today = to_user_timezone(when).date(), to_user_timezone(now()).date()
    if local == today:
        return str(gettext("Aujourd’hui"))
    if local == today - timedelta(days=1):
        return str(gettext("Hier"))
    return str(format_date(local, "EEEE d MMMM" if local.year == today.year else "EEEE d MMMM yyyy"))


def since(when: datetime) -> str:
    """How long ago, in as few letters as can be read across a room."""
    return str(format_timedelta(now() - when, granularity="minute", threshold=1, format="short", locale=get_locale()))


def month(first: date) -> str:
    """A month and its year."""
    return str(format_date(first, "MMMM yyyy"))


def why_not(recipient: Recipient) -> str:
    """What exactly is wrong with somebody's text, in the language of who reads it."""
    return str(gettext(recipient.reason, **(recipient.reason_values or {}))) if recipient.reason else ""


def event_label(action: str) -> str:
    """What people read for a kind of event."""
    known = action in set(Action)  # a later version may have taken one away
    return str(gettext(labels.EVENT_LABELS[Action(action)])) if known else action


def clock(when: datetime) -> str:
    """The hour and minute of a time."""
    return str(format_datetime(when, "HH:mm"))


def linked(words: str) -> Markup:
    """A text with its web addresses as links: never fetched by us, and opened without saying from where."""
    pieces, position = [], 0
    for found in WEB_ADDRESS.finditer(words):
        address = found.group(0).rstrip(".,;:!?)»")
        link = Markup('<a href="{0}" rel="noopener noreferrer nofollow" target="_blank">{0}</a>').format(address)
        pieces += [escape(words[position : found.start()]), link]
        position = found.start() + len(address)
    return Markup("").join([*pieces, escape(words[position:])])


def why(message: Message) -> str:
    """Why a message is in its state, in a sentence."""
    reason = db.session.scalar(
        select(MessageEvent.reason)
        .where(MessageEvent.message_id == message.id, MessageEvent.status == message.status)
        .where(MessageEvent.reason.is_not(None))
        .order_by(MessageEvent.id.desc())
        .limit(1)
    )
    return str(gettext(reason or STATUS_SENTENCES[message.status]))


def decimal(number: float) -> str:
    """A number with one decimal, as the language writes it."""
    return str(format_decimal(round(number, 1), locale=get_locale()))


def count(number: int) -> str:
    """A whole number with the spaces or commas that the language puts between thousands."""
    return str(format_decimal(number, locale=get_locale()))


def datum(value: object) -> str:
    """A datum of a contact as people write it: a date of a machine is one of theirs."""
    found = MACHINE_DATE.fullmatch(str(value))
    try:
        return str(format_date(date(*map(int, found.groups())), "dd/MM/yyyy")) if found else str(value)
    except ValueError:
        return str(value)


def weekday(day: date) -> str:
    """A day with its name, without the year."""
    return str(format_date(day, "EEEE d MMMM"))


def dated(day: date) -> str:
    """A day with its year, in few letters."""
    return str(format_date(day, "d MMM y"))


def short_day(day: date) -> str:
    """A day in as few letters as an axis has room for."""
    return str(format_date(day, "d MMM"))


def duration(length: timedelta) -> str:
    """A length of time in words: "3 minutes"."""
    return str(format_timedelta(length, locale=get_locale(), threshold=1.2))


def _relative(when: datetime) -> str:
    elapsed = now() - when
    local, today = to_user_timezone(when).date(), to_user_timezone(now()).date()
    if -5 <= elapsed.total_seconds() < 45:
        return str(gettext("à l’instant"))
    if 0 < elapsed.total_seconds() < 3600:
        return format_timedelta(-elapsed, granularity="minute", add_direction=True, locale=get_locale())
    if local == today:
        return str(format_datetime(when, "HH:mm"))
    if local.year == today.year:
        return str(format_datetime(when, "d MMM, HH:mm"))
    return str(format_datetime(when, "d MMM yyyy, HH:mm"))


@functools.cache
def _fingerprint(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def asset(filename: str) -> str:
    """URL of a file of ours, different whenever the file is: it may then be kept for ever."""
    folder = current_app.static_folder or ""
    return url_for("static", filename=filename, v=_fingerprint(str(Path(folder) / filename)))


def limit_of(phone: Phone) -> int:
    """Characters that one message of this phone may have."""
    return adapter_class(phone.adapter).max_text
