"""What columns hold: UTC, euros to the millionth, words that others gave us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, String, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


class UTCDateTime(TypeDecorator[datetime]):
    """A time in UTC: refuses times without a zone, gives back times with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def storable(words: str) -> str:
    """Words without what no database takes: NUL, and halves of characters."""
    return words.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


class Foreign(TypeDecorator[str]):
    """Words that others gave us: what no database takes is left out, and what is too long is cut.

    SQLite takes any length; PostgreSQL refuses the row, and with it the report or the answer that it holds.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)[: self.length]


class ForeignText(TypeDecorator[str]):
    """The same, without a limit."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Euros(TypeDecorator[Decimal]):
    """An amount in euros, kept as whole millionths: exact, summable, and the same on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int((value * 1_000_000).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)) / 1_000_000


class DatabaseNow(FunctionElement[datetime]):
    """The present time by the database's own clock, so many seconds ahead: the one that all machines share."""

    type = UTCDateTime()
    inherit_cache = False

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        super().__init__()
        self.ahead = ahead


@compiles(DatabaseNow, "sqlite")
def _now_of_sqlite(element: DatabaseNow, _compiler: SQLCompiler, **_more: Any) -> str:
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '{element.ahead.total_seconds():+.3f} seconds')"


@compiles(DatabaseNow, "postgresql")
def _now_of_postgresql(element: DatabaseNow, _compiler: SQLCompiler, **_more: Any) -> str:
    return f"(clock_timestamp() + interval '{element.ahead.total_seconds():+.3f} seconds')"
