"""Numbers that need correcting: what failures of delivery teach about contacts."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..clock import now
from ..models import Contact

E164 = re.compile(r"\+[0-9]{1,30}")


def mark(session: Session, numbers: Collection[str], reason: str | None) -> None:
    """These numbers are wrong: whoever has them is to be asked. Call inside a transaction."""
    if numbers:
        session.execute(
            update(Contact)
            .where(Contact.number.in_(numbers), Contact.fault.is_(None))
            .values(fault=reason, fault_at=now()),
            execution_options={"synchronize_session": False},
        )


def clear(session: Session, numbers: Collection[str]) -> None:
    """An SMS arrived at these numbers, or came from them: they are right. Call inside a transaction.

    What a stranger gives for a number may be anything; no contact has what is none.
    """
    if known := [number for number in numbers if E164.fullmatch(number)]:
        session.execute(
            update(Contact)
            .where(Contact.fault.is_not(None), Contact.number.in_(known))
            .values(fault=None, fault_at=None),
            execution_options={"synchronize_session": False},
        )
