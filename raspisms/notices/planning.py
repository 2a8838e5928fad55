"""Who of the team is told of what by e-mail, and when."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask import current_app
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from .. import clock
from ..clock import now
from ..extensions import db
from ..models import Heartbeat, Mailing, Message, Notice, NoticeKind, User
from ..storage.transactions import transaction
from ..team import opening_hours, preferences

# When the day before is told, on the wall clock.
DIGEST_AT = time(7)
# What was sent, or given up, is kept for so long.
KEPT = timedelta(days=7)
# A process that died with mails in its hands is forgotten after this long.
CLAIMED = timedelta(minutes=5)
RESTS, REST = "mail-rests-until", timedelta(minutes=2)


def is_possible() -> bool:
    """Whether there is a mail server."""
    return bool(current_app.config.get("SMTP_URL"))


def received(session: Session, *messages: Message) -> None:
    """People wrote to us: tell those who want to know now. Call inside a transaction."""
    if not is_possible():
        return
    wanted = {Mailing.ALWAYS, Mailing.OPEN if opening_hours.is_open(preferences.current(), now()) else Mailing.CLOSED}
    for user_id in session.scalars(select(User.id).where(User.mail_received.in_(wanted))):
        session.add_all(
            [Notice(user_id=user_id, kind=NoticeKind.RECEIVED, message_id=message.id) for message in messages]
        )


def plan_digests() -> None:
    """Once it is morning, each digest of the day before, once."""
    if not is_possible():
        return
    local = now().astimezone(clock.zone())
    if local.time() < DIGEST_AT:
        return
    day = (local.date() - timedelta(days=1)).isoformat()
    told = select(Notice.user_id).where(Notice.kind == NoticeKind.DIGEST, Notice.day == day)
    users = select(User.id).where(User.mail_digest.is_(True), User.id.not_in(told))
    if db.session.scalar(users.limit(1)) is None:
        return
    with transaction() as session:
        for user_id in session.scalars(users):
            session.add(Notice(user_id=user_id, kind=NoticeKind.DIGEST, day=day))


def tidy() -> None:
    """Forget what is done."""
    old = now() - KEPT
    with transaction() as session:
        session.execute(delete(Notice).where((Notice.sent_at < old) | (Notice.given_up_at < old)))


def claim(limit: int) -> list[Notice]:
    """What is to leave now, the oldest first: nobody else takes it meanwhile."""
    with transaction() as session:
        found = list(session.scalars(_waiting().where(Notice.due_at <= now()).order_by(Notice.id).limit(limit)))
        for notice in found:
            notice.due_at = now() + CLAIMED
    return found


def is_due() -> bool:
    """Whether an e-mail is to leave now, and the mail server may be asked."""
    rests = db.session.get(Heartbeat, RESTS)
    if rests is not None and now() < rests.at < now() + REST * 2:
        return False
    return db.session.scalar(_waiting().where(Notice.due_at <= now()).limit(1)) is not None


def rest() -> None:
    """The mail server answers nothing: leave it in peace, since replies and reports wait behind each attempt."""
    with transaction() as session:
        session.merge(Heartbeat(name=RESTS, at=now() + REST))


def _waiting() -> Select[Notice]:
    return select(Notice).where(Notice.sent_at.is_(None), Notice.given_up_at.is_(None))


def later(notice: Notice, reason: str, moment: datetime) -> None:
    """It did not leave: again after 1, 2, 4 … 60 minutes, for a day. Call inside a transaction."""
    notice.attempts += 1
    notice.reason = reason[:500]
    notice.due_at = moment + timedelta(minutes=min(60, 2 ** (notice.attempts - 1)))
    if moment - notice.created_at > timedelta(days=1):
        notice.given_up_at = moment
