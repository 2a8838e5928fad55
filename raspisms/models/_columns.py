"""Column types that several tables share."""

from __future__ import annotations

from enum import Enum

from sqlalchemy import Enum as SQLEnum


def enum_column(kind: type[Enum]) -> SQLEnum:
    """An enumeration stored by value, as text: readable in any tool, and growable without a migration."""
    return SQLEnum(kind, values_callable=lambda k: [e.value for e in k], native_enum=False, length=16)
