"""The secret in a phone's callback URLs: made, found, shown, renewed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from ..extensions import db
from ..models import Action, Phone
from ..storage.transactions import transaction
from ..team import audit
from ..vault import Unreadable, new_token, vault

# A renewed address stops working within this time.
REMEMBERED_SECONDS = 1.0
# A database that did not answer is not asked again for each callback.
UNREADABLE_SECONDS = 5.0


@dataclass(frozen=True)
class CallbackURLs:
    """The two addresses that the provider has to call."""

    status: str
    reception: str


def give(phone: Phone) -> None:
    """Give the phone a new token; the old URLs stop working with the next commit."""
    token = new_token()
    phone.token_digest = vault().digest(token)
    phone.sealed_token = vault().seal(token)


def renew(phone_id: int, user_id: int | None = None) -> None:
    """Replace a phone's token."""
    with transaction() as session:
        phone = session.get_one(Phone, phone_id)
        give(phone)
        audit.record(session, user_id, Action.TOKEN_RENEWED, phone.name)


def find(token: str) -> int | None:
    """Id of the phone that this token belongs to; the same work is done whatever the token is.

    What was found is remembered for a second, since reports come by the thousand; and for longer while the
    database cannot be read, so that no callback is turned away by that. Raises OSError when it cannot be read
    and nothing is remembered.
    """
    digest = vault().digest(token)
    seen: dict[str, tuple[int, float]] = current_app.extensions.setdefault("tokens seen", {})
    phone_id, until = seen.get(digest, (None, 0.0))
    if phone_id is not None and time.monotonic() < until:
        return phone_id
    try:
        phone_id = db.session.scalar(select(Phone.id).where(Phone.token_digest == digest))
    except OperationalError:
        db.session.rollback()
        if phone_id is None:
            raise OSError("the database cannot be read") from None
        seen[digest] = (phone_id, time.monotonic() + UNREADABLE_SECONDS)
        return phone_id
    seen.pop(digest, None)
    if phone_id is not None:
        seen[digest] = (phone_id, time.monotonic() + REMEMBERED_SECONDS)
    return phone_id


def is_remembered(token: str) -> bool:
    """Whether `find` knows the phone of this token without a look into the database."""
    seen: dict[str, tuple[int, float]] = current_app.extensions.get("tokens seen", {})
    _, until = seen.get(vault().digest(token), (0, 0.0))
    return time.monotonic() < until


def urls(phone: Phone, base: str | None = None) -> CallbackURLs:
    """A phone's callback URLs, as the provider sees them; below `base` instead of the public address.

    When the token was sealed with a secret that is gone, only renewing it helps: the URLs say `?`.
    """
    try:
        token = vault().open(phone.sealed_token)
    except Unreadable:
        token = "?"  # noqa: S105 - the absence of one
    base = f"{base or current_app.config['PUBLIC_URL']}/callbacks/{token}"
    return CallbackURLs(status=f"{base}/status", reception=f"{base}/reception")
