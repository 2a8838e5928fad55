"""Where a person is found besides their own rows: in raw callbacks, in requests, in what campaigns were written for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from ..extensions import db
from ..i18n import N_
from ..models import (
    Campaign,
    CampaignState,
    Contact,
    EarlierAttempt,
    Import,
    ImportLine,
    ImportState,
    JournalEntry,
    JournalState,
    Message,
    ParkedReport,
    Submission,
)
from ..sms import phone_numbers as telephone_numbers
from ..sms.numbers_in_text import numbers_in
from ..storage.transactions import transaction
from . import import_files
from .import_rows import forget_lines

# What all ways of writing a number have in common: its last digits.
DIGITS = 9
FILE_FORGOTTEN = N_("Le fichier de cet import n’est plus gardé : importez-le de nouveau.")
CHUNK = 2_000


@dataclass(frozen=True)
class Traces:
    """What a search found, and how far it came."""

    journal: list[int]
    campaigns: list[int]
    lines: list[int]
    """Of lists that came in: lines that no number was read from so far."""
    last_journal: int


def find(number: str) -> Traces:
    """Look for a number everywhere that no index leads to. Reads much, writes nothing: for outside of a transaction."""
    last = db.session.scalar(select(func.max(JournalEntry.id))) or 0
    return Traces(_journal(number, 0, last), _campaigns(number), _lines(number), last)


def forget_files() -> None:
    """Forget every file of people that is still kept, and how it began: any of them may hold the person, in whatever
    place. What was read of it stays as lines, which go one by one. In short transactions: a file is large."""
    for import_id in import_files.kept():
        with transaction() as session:
            found = session.get(Import, import_id)
            if found is None or found.state is ImportState.ARRIVING:
                continue  # it is not there yet, and nobody has looked at it
            found.layout = None
            if found.state is ImportState.OPENING:  # who reads it has it in memory, and is told to stop
                found.state, found.holder, found.reason = ImportState.UNREADABLE, None, FILE_FORGOTTEN
            is_given_up = found.state is ImportState.UNREADABLE
        import_files.forget(import_id)
        if is_given_up:
            forget_lines(import_id)


def forget(session: Session, number: str, found: Traces) -> None:
    """Take a person out of what was found, and of what came since. Call inside a transaction."""
    newest = session.scalar(select(func.max(JournalEntry.id))) or 0
    came_since = _journal(number, found.last_journal, newest)
    wipe_journal(session, JournalEntry.id.in_([*found.journal, *came_since]))
    session.execute(delete(ParkedReport).where(ParkedReport.number == number))
    _wipe_requests(session, number)
    for start in range(0, len(found.lines), CHUNK):
        session.execute(delete(ImportLine).where(ImportLine.id.in_(found.lines[start : start + CHUNK])))
    ids = set(session.scalars(select(Contact.id).where(Contact.number == number)))
    for campaign in session.scalars(select(Campaign).where(Campaign.id.in_(found.campaigns))):
        _leave_out(campaign, number, ids)


def mentions(number: str) -> ColumnElement[bool]:
    """The callbacks that hold a number, in whatever shape (a condition on JournalEntry)."""
    digits = number[-DIGITS:]
    if db.session().get_bind().dialect.name == "sqlite":
        in_body = func.instr(JournalEntry.body, digits.encode()) > 0
    else:
        in_body = func.encode(JournalEntry.body, "escape").contains(digits, autoescape=True)
    return or_(in_body, JournalEntry.query.contains(digits, autoescape=True))


def wipe_journal(session: Session, which: ColumnElement[bool]) -> None:
    """Of callbacks, what they said goes; that they came stays. Call inside a transaction."""
    session.execute(
        update(JournalEntry).where(which).values(body=b"", query=""),
        execution_options={"synchronize_session": False},
    )


def _journal(number: str, after: int, last: int) -> list[int]:
    found: list[int] = []
    for start in range(after, last, CHUNK):
        some = JournalEntry.id.between(start + 1, min(start + CHUNK, last))
        is_applied = JournalEntry.state != JournalState.NEW  # what it says is not yet part of what is erased
        found += db.session.scalars(select(JournalEntry.id).where(some, is_applied, mentions(number)))
    return found


def _wipe_requests(session: Session, number: str) -> None:
    """The texts of requests that were for this person alone; a text that others got as well says nothing of them."""
    own = select(Message.submission_id).where(Message.number == number, Message.submission_id.is_not(None))
    earlier = (
        select(EarlierAttempt.submission_id)
        .join(Message, Message.id == EarlierAttempt.message_id)
        .where(Message.number == number)
    )
    others = select(Message.id).where(Message.submission_id == Submission.id, Message.number != number)
    session.execute(
        update(Submission)
        .where(or_(Submission.id.in_(own), Submission.id.in_(earlier)), ~others.exists())
        .values(text="", words=None),
        execution_options={"synchronize_session": False},
    )


def _lines(number: str) -> list[int]:
    """What would bring the person back when the list is read on, or when somebody mends the line."""
    written = ImportLine.raw["number"].as_string()
    rows = db.session.execute(select(ImportLine.id, written).where(ImportLine.number == ""))
    return [line_id for line_id, text in rows if _is_same(str(text or ""), number)]


def _campaigns(number: str) -> list[int]:
    """Campaigns that were written for this person, by number or as a contact."""
    ids = set(db.session.scalars(select(Contact.id).where(Contact.number == number)))
    rows = db.session.execute(select(Campaign.id, Campaign.targets).where(Campaign.targets.is_not(None)))
    return [row.id for row in rows if _is_meant(row.targets or {}, number, ids)]


def _is_meant(held: dict[str, Any], number: str, ids: set[int]) -> bool:
    return any(one in ids for one in held.get("contacts", [])) or any(
        _is_same(written, number)
        for written in (*(str(one["number"]) for one in held.get("numbers", [])), *held.get("unread", "").splitlines())
    )


def _is_same(written: str, number: str) -> bool:
    """Whether what somebody typed is this number; most are not, by their last digits."""
    digits = "".join(c for c in written if c.isdecimal())
    if number[-DIGITS:] not in digits:
        return False
    return telephone_numbers.read(written)[0] == number or any(one.number == number for one in numbers_in(written))


def _leave_out(campaign: Campaign, number: str, ids: set[int]) -> None:
    """A repetition or a copy must not find the person again."""
    held = campaign.targets or {}
    numbers = [one for one in held.get("numbers", []) if not _is_same(str(one["number"]), number)]
    chosen = [one for one in held.get("contacts", []) if one not in ids]
    unread = "\n".join(line for line in held.get("unread", "").splitlines() if not _is_same(line, number))
    campaign.targets = {**held, "numbers": numbers, "contacts": chosen, "unread": unread}
    if campaign.prepared_at is None and campaign.state in (CampaignState.DRAFT, CampaignState.SCHEDULED):
        # A review that is being made counts places in the list of before: it begins anew.
        campaign.holder, campaign.cursor, campaign.position = None, None, 0
