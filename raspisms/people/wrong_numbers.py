"""Numbers that need correcting: what failures of delivery teach about contacts."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..clock import now
from ..models import Contact


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
    """An SMS arrived at these numbers: they are right. Call inside a transaction."""
    if numbers:
        session.execute(
            update(Contact)
            .where(Contact.fault.is_not(None), Contact.number.in_(numbers))
            .values(fault=None, fault_at=None),
            execution_options={"synchronize_session": False},
        )
