"""What messages cost: what a provider named, shared out to the last millionth, or what the last one cost."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import ColumnElement, func, literal, or_, select, update
from sqlalchemy.orm import Session

from ..extensions import db
from ..models import EarlierAttempt, Message, Phone, Submission
from ..storage.types import Euros

MILLIONTH = Decimal("0.000001")


def price_of(phone: Phone) -> Decimal | None:
    """Euros for one part, as the provider billed this phone's last message; None before the first."""
    # By way of its requests: a phone that has sent nothing must not cost a look at everything.
    billed = db.session.execute(
        select(Submission.id, Submission.cost, Submission.parts)
        .where(Submission.phone_id == phone.id, Submission.cost.is_not(None), Submission.is_estimated.is_(False))
        .order_by(Submission.id.desc())
        .limit(1)
    ).first()
    if billed is None:
        return None
    # With those that were sent again since; and never fewer than the provider counted, for those that were erased.
    earlier = select(EarlierAttempt.message_id).where(EarlierAttempt.submission_id == billed.id)
    of_request = or_(Message.submission_id == billed.id, Message.id.in_(earlier))
    ours = db.session.scalar(select(func.sum(Message.parts)).where(of_request)) or 0
    parts = max(ours, billed.parts or 0)
    return billed.cost / parts if parts else None


def share(session: Session, which: ColumnElement[bool], number: int, cost: Decimal) -> None:
    """Add what a request cost to its messages, in equal shares whose sum is exactly that. Call inside a transaction.

    `which` is a condition on Message that holds for `number` of them. A message that was sent more than once has
    cost more than once.
    """
    if not number:
        return
    each = (cost / number).quantize(MILLIONTH, "ROUND_DOWN")
    left = int((cost - each * number) / MILLIONTH)
    _add(session, which, each)
    if left:
        first = select(Message.id).where(which).order_by(Message.id).limit(left)
        _add(session, Message.id.in_(session.scalars(first).all()), MILLIONTH)


def _add(session: Session, which: ColumnElement[bool], amount: Decimal) -> None:
    spent = func.coalesce(Message.cost, literal(Decimal(0), Euros()), type_=Euros())
    session.execute(
        update(Message).where(which).values(cost=spent + literal(amount, Euros())),
        execution_options={"synchronize_session": False},
    )
