"""A list of people that somebody brings: read first, shown, then applied, and undone if need be."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..storage.types import UTCDateTime
from ._columns import enum_column
from .group import Group
from .user import User


class ImportState(StrEnum):
    ARRIVING = "arriving"
    """It is being kept, as a file or line by line."""
    OPENING = "opening"
    """Its file is being read."""
    UNREADABLE = "unreadable"
    """Its file is no list of people; `reason` says why."""
    READING = "reading"
    """Its lines are being compared with the contacts."""
    READY = "ready"
    """The report is there; nothing has changed yet."""
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"


class Verdict(StrEnum):
    """What a line of an import is."""

    UNREAD = "unread"
    NEW = "new"
    KNOWN = "known"
    """The contact is there already, just so."""
    CHANGED = "changed"
    """The contact is there already, and learns something."""
    DOUBLE = "double"
    """An earlier line of the same list says the same."""
    LEFT_OUT = "left_out"
    """A right number that gets no SMS: a landline, a short number."""
    WRONG = "wrong"
    """No number that anybody could write to: somebody has to correct it."""


class Import(Model):
    __tablename__ = "imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(200))
    """The file's name, or what the list was pasted as."""
    state: Mapped[ImportState] = mapped_column(enum_column(ImportState), default=ImportState.READING)
    total: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    """Lines that the present step has done."""
    cursor: Mapped[int] = mapped_column(default=0)
    """The id of the last of them; 0 at the beginning of a step."""
    group_id: Mapped[int | None] = mapped_column(ForeignKey("contact_groups.id", ondelete="SET NULL"))
    """Where everybody of the list is put as well."""
    origin: Mapped[str] = mapped_column(String(200), default="")
    consent: Mapped[str] = mapped_column(String(500), default="")
    held_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When a job last worked on it."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    applied_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    holder: Mapped[str | None] = mapped_column(String(200))
    """The process that reads its file."""
    reason: Mapped[str | None] = mapped_column(String(500))
    """Why its file could not be read: a sentence (a msgid)."""
    reason_line: Mapped[int | None]
    """The line of the file that this is about, from 1."""
    layout: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """How its file was understood: sheets, columns, first lines (people.reading.Layout)."""
    choice: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What somebody chose instead (people.reading.Choice)."""

    user: Mapped[User | None] = relationship()
    group: Mapped[Group | None] = relationship()

    @property
    def reading(self) -> str:
        """A word for how its file is read: a page that showed another reading is told so."""
        return hashlib.sha256(json.dumps(self.choice, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def is_working(self) -> bool:
        return self.state in WORKING


WORKING = (
    ImportState.ARRIVING,
    ImportState.OPENING,
    ImportState.READING,
    ImportState.APPLYING,
    ImportState.UNDOING,
)


class ImportPiece(Model):
    """A part of a file that came in: kept until the import is done with, since it may be read once more."""

    __tablename__ = "import_pieces"

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportLine(Model):
    __tablename__ = "import_lines"
    __table_args__ = (
        Index("ix_import_lines_verdict", "import_id", "verdict", "id"),
        Index("ix_import_lines_number", "import_id", "number"),
        # Each step takes the next few lines: without it, it would look at all of them.
        Index("ix_import_lines_order", "import_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"))
    line: Mapped[int]
    """As the file counts, from 1."""
    raw: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`name`, `number` and `data`, as written; what the file says of consent, and what was remarked of the line."""
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict), default=Verdict.UNREAD)
    name: Mapped[str] = mapped_column(String(100), default="")
    number: Mapped[str] = mapped_column(String(32), default="")
    repaired: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None] = mapped_column(String(500))
    """Why it is left out or to be corrected, or what was repaired: a sentence (a msgid)."""
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"), index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """The contact's data and version before an update, to undo it by; its version after it."""
