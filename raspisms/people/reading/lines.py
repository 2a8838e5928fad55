"""What reading a list gives: how the file was understood, and a line for each person."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ...i18n import N_

Row = tuple[int, list[str]]
"""The line of the file, from 1, and its cells."""
Said = tuple[str, dict[str, str]]
"""A sentence (a msgid) and what it speaks of."""


TWO_MOBILES = N_("Il y a deux mobiles ici : gardez-en un.")


class Unreadable(ValueError):
    """The file is no list of people; str(error) is a sentence (a msgid), `line` the place if there is one."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


class Role(StrEnum):
    """What a column is."""

    NUMBER = "number"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    CALLING_CODE = "calling_code"
    """The country's digits, where a table keeps them apart from the number."""
    CONSENT = "consent"
    REFUSAL = "refusal"
    """A yes here is a no to advertising."""
    CONSENT_DATE = "consent_date"
    BIRTHDAY = "birthday"
    EMAIL = "email"
    TOWN = "town"
    DATA = "data"
    LEFT_OUT = "left_out"


@dataclass
class Column:
    """One column of a sheet: as it is headed, what it is taken for, and what its data are called."""

    at: int
    heading: str
    role: Role
    key: str

    def as_dict(self) -> dict[str, Any]:
        return {"at": self.at, "heading": self.heading, "role": self.role.value, "key": self.key}


@dataclass
class Sheet:
    """A table as the file has it."""

    name: str
    rows: list[Row]
    headings: list[str] | None = None
    """Given by a format whose columns have names of their own (cards, JSON); else a row of the table is found."""
    roles: dict[int, Role] = field(default_factory=dict)
    """Columns that such a format leaves no doubt about."""


@dataclass(frozen=True)
class Choice:
    """What a person chose where the recognition was not right; nothing chosen is recognised."""

    sheet: str | None = None
    header: int | None = None
    """The line of the file that heads the columns; 0 for none."""
    columns: dict[str, str] = field(default_factory=dict)
    """By position (from 0) or heading: a role, or a key for data."""

    def as_dict(self) -> dict[str, Any]:
        return {"sheet": self.sheet, "header": self.header, "columns": self.columns}


@dataclass
class Layout:
    """How a file was understood: kept with an import, shown, and what a person corrects."""

    sheets: list[str] = field(default_factory=list)
    sheet: str = ""
    header: int = 0
    """The line that heads the columns; 0 when there is none."""
    has_fixed_header: bool = False
    """The format names its columns itself: there is no line to choose."""
    columns: list[Column] = field(default_factory=list)
    head: list[Row] = field(default_factory=list)
    """The first lines, as they are."""
    said: list[Said] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "sheets": self.sheets,
            "sheet": self.sheet,
            "header": self.header,
            "has_fixed_header": self.has_fixed_header,
            "columns": [column.as_dict() for column in self.columns],
            "head": self.head,
            "said": self.said,
        }


@dataclass
class Line:
    """One person as the file has them: nothing is checked yet."""

    line: int
    name: str
    number: str
    data: dict[str, str] = field(default_factory=dict)
    agreed: bool | None = None
    """What the file says of consent to advertising; None when it says nothing, or something that nobody understands."""
    proof: str = ""
    """Where it says so, and what; empty when it says nothing."""
    agreed_on: str = ""
    """The day of it (ISO), where the file has one."""
    said: list[Said] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """What is kept of it as JSON: what is empty is not."""
        kept: dict[str, Any] = {"name": self.name, "number": self.number, "data": self.data}
        if self.proof:
            kept |= {"agreed": self.agreed, "proof": self.proof, "agreed_on": self.agreed_on}
        return kept | ({"said": self.said} if self.said else {})


@dataclass
class Kept:
    """What comes back from the child: the layout as JSON holds it, and the lines."""

    layout: dict[str, Any]
    lines: list[Line]


@dataclass
class Reading:
    """A file that was read."""

    layout: Layout
    lines: list[Line]
