"""Handing e-mails to the mail server: each at least once, and again later when it does not take them."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import groupby
from time import monotonic
from urllib.parse import unquote, urlsplit

from flask import current_app

from ..clock import now
from ..extensions import db
from ..models import Message, Notice, NoticeKind
from ..storage.transactions import INTERRUPTIONS, transaction
from . import planning, writing

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5
TOGETHER = 200
TIME_OVER = "no time left"


def post_due(seconds: float = float("inf")) -> None:
    """Send what is due, for so long: what one person is to know of received messages goes in one mail."""
    ends = monotonic() + seconds
    notices = planning.claim(TOGETHER) if planning.is_possible() else []
    if not notices:
        return
    bundles = [list(bundle) for _, bundle in groupby(sorted(notices, key=_bundle), key=_bundle)]
    try:
        with _server() as server:
            for position, bundle in enumerate(bundles):
                if monotonic() > ends:
                    _later([notice for rest in bundles[position:] for notice in rest], TIME_OVER)
                    return
                _post(server, bundle)
    except (OSError, smtplib.SMTPException) as error:
        log.warning("the mail server takes nothing: %s", type(error).__name__)
        planning.rest()
        left = [notice for bundle in bundles for notice in bundle if notice.sent_at is None]
        _later(left, str(error))


def _bundle(notice: Notice) -> tuple[int, str, str]:
    return notice.user_id, notice.kind.value, notice.day or ""


def _post(server: smtplib.SMTP, bundle: list[Notice]) -> None:
    first = bundle[0]
    try:
        mail = _mail(bundle)
        email = None if mail is None else writing.as_email(mail, first.user)
    except INTERRUPTIONS:
        raise
    except Exception as error:  # this one only: the mails of others do not wait for it
        log.exception("notice=%s cannot be written", first.id)
        db.session.rollback()
        _later(bundle, type(error).__name__)
        return
    if email is not None:
        try:
            server.send_message(email)
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException as error:  # this one only: an address that the server refuses, say
            log.warning("notice=%s refused: %s", first.id, type(error).__name__)
            _later(bundle, str(error))
            return
    with transaction() as session:
        for notice in bundle:
            session.get_one(Notice, notice.id).sent_at = now()


def _mail(bundle: list[Notice]) -> writing.Mail | None:
    first = bundle[0]
    name = f"raspisms-{first.kind.value}-{first.id}-{bundle[-1].id}"
    if first.kind is NoticeKind.DIGEST:
        return writing.digest(date.fromisoformat(first.day or ""), first.user, name)
    messages: list[Message] = [notice.message for notice in bundle if notice.message is not None]
    return writing.received(messages, first.user, name) if messages else None


def _later(notices: list[Notice], reason: str) -> None:
    moment = now()
    with transaction() as session:
        for notice in notices:
            planning.later(session.get_one(Notice, notice.id), reason, moment)


@contextmanager
def _server() -> Iterator[smtplib.SMTP]:
    """The mail server, spoken to in secret where it can: always with `smtps`, and before any password.

    Raises OSError, smtplib.SMTPException.
    """
    parts = urlsplit(current_app.config["SMTP_URL"])
    host, context = parts.hostname or "", ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
    with server:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif parts.scheme == "smtp" and parts.username and host not in {"127.0.0.1", "::1", "localhost"}:
            raise smtplib.SMTPNotSupportedError("the server offers no encryption, and the password is not sent without")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server
