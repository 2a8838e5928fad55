"""Web Push: browsers are told that something came in, by way of their makers, who learn no text, name or number."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import current_app
from sqlalchemy import func, select

from .. import refusals
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..models import Direction, Mailing, Message, PushSubscription, User
from ..storage.transactions import transaction
from ..team import opening_hours, preferences
from ..vault import Unreadable, vault

log = logging.getLogger(__name__)

# The makers of browsers, and nobody else: an address that a browser gives is a stranger's, and must not lead into the
# LAN.
MAKERS = re.compile(
    r"fcm\.googleapis\.com|updates\.push\.services\.mozilla\.com"
    r"|[\w-]+\.push\.apple\.com|[\w.-]+\.notify\.windows\.com"
)
SCHEME = "https"
# Of the curve P-256: how many private keys there are.
KEYS = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
TIMEOUT = 5.0
# A browser that is off is told for so long after, in seconds.
KEPT_SECONDS = 12 * 3600
MOST = 10
GONE = (404, 410)


class Refused(refusals.Refused):
    """This browser cannot be told."""


@dataclass(frozen=True)
class Wanted:
    """What a browser gave of itself."""

    endpoint: str
    p256dh: str
    auth: str


def subscribe(user_id: int, wanted: Wanted) -> None:
    """Tell this browser from now on. Raises Refused."""
    address = urlsplit(wanted.endpoint)
    if address.scheme != SCHEME or not MAKERS.fullmatch(address.netloc) or len(wanted.endpoint) > 1000:
        raise Refused(N_("Ce navigateur ne permet pas les avis : son service n’est pas connu."))
    if not all(re.fullmatch(r"[\w-]{10,200}={0,2}", key) for key in (wanted.p256dh, wanted.auth)):
        raise Refused(N_("Ce navigateur a donné une clé illisible : réessayez."))
    with transaction() as session:
        mark = _digest(wanted.endpoint)
        found = session.scalar(select(PushSubscription).where(PushSubscription.endpoint_digest == mark))
        found = found or PushSubscription(endpoint_digest=mark)
        found.user_id, found.sealed = user_id, vault().seal([wanted.endpoint, wanted.p256dh, wanted.auth])
        found.told_up_to = _newest() or 0
        session.add(found)
        mine = select(PushSubscription).where(PushSubscription.user_id == user_id).order_by(PushSubscription.id.desc())
        for old in session.scalars(mine.offset(MOST)):
            session.delete(old)


def unsubscribe(endpoint: str) -> None:
    """Tell this browser no more."""
    with transaction() as session:
        mine = PushSubscription.endpoint_digest == _digest(endpoint)
        for found in session.scalars(select(PushSubscription).where(mine)):
            session.delete(found)


def public_key() -> str:
    """The key that browsers know us by, as they want it written."""
    point = _private_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _private_key() -> ec.EllipticCurvePrivateKey:
    """Made from the installation's secret: there is nothing more to keep, and nothing to lose."""
    return ec.derive_private_key(int(vault().digest("vapid", "web push"), 16) % (KEYS - 1) + 1, ec.SECP256R1())


def _digest(endpoint: str) -> str:
    return vault().digest(endpoint, "push endpoint")


def _newest() -> int | None:
    """The newest message that nobody has read."""
    unread = Message.direction == Direction.IN, Message.read_at.is_(None)
    return db.session.scalar(select(func.max(Message.id)).where(*unread))


def is_due() -> bool:
    """Whether something came in that a browser was not told of."""
    first = db.session.scalar(select(func.min(PushSubscription.told_up_to)))
    return first is not None and (_newest() or 0) > first


def work() -> None:
    """Tell every browser of what came in since it was told; quiet hours are those of its person's e-mails."""
    newest = _newest()
    if newest is None:
        return
    is_open = opening_hours.is_open(preferences.current(), now())
    quiet = Mailing.CLOSED if is_open else Mailing.OPEN  # who wants the other hours sleeps in these
    waiting = select(PushSubscription, User.mail_received).join(User).where(PushSubscription.told_up_to < newest)
    for one, mailing in db.session.execute(waiting).all():
        found = None if mailing is quiet else _tell(one)
        with transaction() as session:
            kept = session.get(PushSubscription, one.id)
            if kept is not None and found in GONE:
                session.delete(kept)
            elif kept is not None:
                kept.told_up_to = max(kept.told_up_to, newest)


def _tell(one: PushSubscription) -> int | None:
    """Tell one browser: what its maker answered; None when it could not be asked, which is not tried again."""
    try:
        endpoint, p256dh, auth = vault().open(one.sealed)
    except Unreadable:
        return GONE[0]
    info = {"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}}
    unread = select(func.count()).where(Message.direction == Direction.IN, Message.read_at.is_(None))
    data = json.dumps({"unread": db.session.scalar(unread)})
    db.session.rollback()  # nothing stays open while the maker thinks
    send = _sender()
    try:
        answer = send(info, data, _claims())
    except (OSError, ValueError) as error:
        log.warning("push subscription=%s could not be told: %s", one.id, type(error).__name__)
        return None
    if answer >= 400:
        log.warning("push subscription=%s was refused: http=%s", one.id, answer)
    return answer


def _claims() -> dict[str, Any]:
    """Who we are, for a maker that wants to complain."""
    url = str(current_app.config["PUBLIC_URL"])
    return {"sub": url if url.startswith("https://") else "mailto:raspisms@example.org"}


def _sender() -> Callable[[dict[str, Any], str, dict[str, Any]], int]:
    """How a browser is told. The library is loaded by those workers only that tell somebody."""
    from py_vapid import Vapid02
    from pywebpush import WebPushException, webpush

    key = Vapid02(_private_key())

    def send(info: dict[str, Any], data: str, claims: dict[str, Any]) -> int:
        try:
            answer = webpush(info, data, vapid_private_key=key, vapid_claims=claims, ttl=KEPT_SECONDS, timeout=TIMEOUT)
        except WebPushException as error:
            if error.response is None:
                raise OSError("no answer") from error
            return int(error.response.status_code)
        return int(answer.status_code)

    return send
