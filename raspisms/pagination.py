"""Pages of a list in a chosen order, by the last line seen: the thousandth page costs what the first does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from .extensions import Model, db

T = TypeVar("T", bound=Model)

SIZE = 50
CHUNK = 500
# Between the two halves of a place; a name may hold one, an id never.
HALVES = "~"
# A list is counted up to here, and is longer beyond.
MOST_COUNTED = 10_000
# What a database can count to; further, there is nothing.
MOST = 2**63 - 1


@dataclass(frozen=True)
class Order(Generic[T]):
    """One way to sort; lines that are level follow their id. Without a column, the id alone."""

    id: InstrumentedAttribute[int]
    column: InstrumentedAttribute[Any] | None = None
    descending: bool = True
    read: Callable[[str], Any] = str

    def place(self, row: T) -> str:
        """Where the next page begins."""
        value = getattr(row, self.column.key) if self.column is not None else ""
        written = value.isoformat() if isinstance(value, datetime) else str(value)
        return f"{written}{HALVES}{getattr(row, self.id.key)}"

    def after(self, query: Select[T], place: str) -> Select[T]:
        """What comes after a place; everything, for one that cannot be read."""
        written, _, last = place.replace("\0", "").rpartition(HALVES)
        try:
            last_id = whole(last)
            value = self.read(written) if self.column is not None else None
        except ValueError:
            return query
        if self.column is None:
            return query.where(self.id < last_id if self.descending else self.id > last_id)
        keys, seen = tuple_(self.column, self.id), (value, last_id)
        return query.where(keys < seen if self.descending else keys > seen)

    def sorted(self, query: Select[T]) -> Select[T]:
        """The query in this order."""
        keys = [self.id] if self.column is None else [self.column, self.id]
        return query.order_by(*(key.desc() if self.descending else key.asc() for key in keys))


@dataclass(frozen=True)
class Page(Generic[T]):
    """A stretch of a list."""

    rows: list[T]
    next: str | None
    """Where the next page begins; None on the last."""
    is_first: bool
    ids: Select[int] | None = None
    """Everything of the list; None where nobody can count it in a moment."""

    @property
    def total(self) -> int | None:
        """How many lines the whole list has, MOST_COUNTED + 1 at most; None where that takes too long."""
        if self.is_first and self.next is None:
            return len(self.rows)
        if self.ids is None:
            return None
        some = self.ids.limit(MOST_COUNTED + 1).subquery()
        return db.session.scalar(select(func.count()).select_from(some))


def whole(text: str) -> int:
    """A whole number that a database can hold. Raises ValueError."""
    number = int(text)
    if not -MOST <= number <= MOST:
        raise ValueError("no id is as far away as that")
    return number


def moment(written: str) -> datetime:
    """A time in a place. Raises ValueError."""
    found = datetime.fromisoformat(written.replace(" ", "+"))
    if found.tzinfo is None:
        raise ValueError("a time without a zone is no place")
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no calendar goes as far as that") from error


def page(query: Select[T], order: Order[T], after: str | None, size: int = SIZE) -> Page[T]:
    """The first lines of a list, or those after a place that an earlier page named."""
    rest = order.after(query, after) if after else query
    found = list(db.session.scalars(order.sorted(rest).limit(size + 1)))
    shown = found[:size]
    return Page(
        shown, order.place(shown[-1]) if len(found) > size else None, rest is query, query.with_only_columns(order.id)
    )


def everything(query: Select[T], order: Order[T]) -> Iterator[T]:
    """All of a list, a chunk at a time: for files."""
    after: str | None = None
    while True:
        found = page(query, order, after, CHUNK)
        yield from found.rows
        if found.next is None:
            return
        after = found.next
        db.session.expunge_all()


def chosen(orders: Mapping[str, Order[T]], name: str | None) -> tuple[str, Order[T]]:
    """The order of this name, or the first one."""
    known = name if name is not None and name in orders else next(iter(orders))
    return known, orders[known]
