"""Pages of a list, by the last id seen: the thousandth page costs what the first does."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select

from ..extensions import db
from ..models import Message

SIZE = 50


@dataclass(frozen=True)
class Page:
    messages: list[Message]
    before: int | None
    """The id under which the next page begins; None on the last page."""
    is_first: bool


def page(query: Select[Message], before: int | None) -> Page:
    """The newest messages of `query`, or those older than `before`."""
    if before is not None:
        query = query.where(Message.id < before)
    found = list(db.session.scalars(query.order_by(Message.id.desc()).limit(SIZE + 1)))
    shown = found[:SIZE]
    return Page(shown, shown[-1].id if len(found) > SIZE else None, before is None)
