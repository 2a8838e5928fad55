"""Groups of people: chosen one by one, one inside the other, or by a rule."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..storage.types import UTCDateTime

group_contacts = Table(
    "group_contacts",
    Model.metadata,
    Column("group_id", ForeignKey("contact_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("contact_id", ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True),
)
group_groups = Table(
    "group_groups",
    Model.metadata,
    Column("group_id", ForeignKey("contact_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("child_id", ForeignKey("contact_groups.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Group(Model):
    """People under one name: chosen one by one, or by a rule that is asked each time."""

    __tablename__ = "contact_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    rule: Mapped[str | None] = mapped_column(Text)
    """A condition on contacts (a conditional group); None for a group whose members are chosen."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    children: Mapped[list[Group]] = relationship(
        secondary=group_groups,
        primaryjoin=id == group_groups.c.group_id,
        secondaryjoin=id == group_groups.c.child_id,
        order_by="Group.name",
    )
    """Groups whose members are members of this one too."""

    @property
    def is_conditional(self) -> bool:
        return self.rule is not None
