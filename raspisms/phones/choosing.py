"""Which phones there are to choose from: those that were not deleted, the real ones first."""

from __future__ import annotations

from sqlalchemy import Select, exists, select

from ..adapters import TRAINING
from ..extensions import db
from ..models import Phone

IS_TRAINING = Phone.adapter.in_(TRAINING)


def offered() -> list[Phone]:
    """Every phone, the real ones by name, then those for training: nobody should take one of these by mistake."""
    query = select(Phone).where(Phone.deleted_at.is_(None))
    return list(db.session.scalars(query.order_by(IS_TRAINING, Phone.name)))


def to_filter_by() -> list[Phone]:
    """The same, and those that were deleted: what they sent stays in the lists."""
    return list(db.session.scalars(select(Phone).order_by(Phone.deleted_at.is_not(None), IS_TRAINING, Phone.name)))


def of_any() -> Select[int]:
    """The ids among which "N’importe lequel" chooses: not those for training, once there is a real one."""
    real = exists().where(Phone.deleted_at.is_(None), ~IS_TRAINING).correlate(None)
    return select(Phone.id).where(Phone.deleted_at.is_(None), ~IS_TRAINING | ~real)


def only_training() -> bool:
    """Whether there are phones, and nothing that they send leaves for real."""
    phones = set(db.session.scalars(select(Phone.adapter).where(Phone.deleted_at.is_(None))))
    return bool(phones) and phones <= TRAINING
