"""Bringing a list of people in: read, compared line by line, shown, applied, undone.

Each step is done by a job, in short transactions; its place is in the database, so that a restart, a full
disk or a closed browser only makes it go on later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from .. import job_queue, pagination, refusals
from ..clock import now
from ..extensions import bell, db
from ..i18n import N_
from ..machine import processes
from ..models import (
    Action,
    Campaign,
    CampaignState,
    Contact,
    Import,
    ImportLine,
    ImportPiece,
    ImportState,
    Verdict,
    group_contacts,
)
from ..models.contact import new_version
from ..pagination import Order, Page
from ..sms.folding import fold
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction
from ..team import audit, preferences
from . import contacts, files, groups, import_files
from .import_lines import (
    CUT_NAME,
    _by_number,
    _judge,
    _merged,
    _read,
    _same_person,
    changes_consent,
    compare,
    proof_of,
)
from .reading import Choice, Line, Unreadable
from .reading.lines import Kept

# What is begun with; how far the next transactions go depends on the time that they take.
CHUNK = 200
# Until it is applied, a file may be read once more, in another way.
WITH_FILE = (ImportState.ARRIVING, ImportState.OPENING, ImportState.READING, ImportState.READY)
FORGETTABLE = (ImportState.READY, ImportState.READING, ImportState.OPENING, ImportState.UNREADABLE)
# Who reads a file on another machine, and is silent for so long, does not any more.
SILENT = timedelta(minutes=15)
# An arrival that is silent for so long was interrupted: somebody has to bring the list again.
ARRIVES_WITHIN = timedelta(hours=1)
WORK_SECONDS = 60.0
# A draft that nobody applied, and the lines of one that was, are forgotten after this long.
KEPT = timedelta(days=30)

CHANGED_SINCE = N_("Modifié depuis l’import : laissé tel quel.")


class Refused(refusals.Refused):
    """The verb does not fit the import's state; str(error) is a sentence (a msgid)."""


def begin(
    lines: Sequence[Line],
    name: str,
    user_id: int | None,
    *,
    group_id: int | None = None,
    origin: str = "",
    consent: str = "",
) -> Import:
    """Keep the lines of a list, and have them compared with the contacts. Nothing of the contacts changes."""
    added = expect(name, user_id, group_id, origin, consent)
    _keep_lines(added.id, lines)
    return _go_on(added.id, ImportState.READING, total=len(lines))


def expect(name: str, user_id: int | None, group_id: int | None = None, origin: str = "", consent: str = "") -> Import:
    """A list that is about to come in."""
    with transaction() as session:
        added = Import(
            user_id=user_id,
            name=" ".join(name.replace("\0", "").split())[:200],
            state=ImportState.ARRIVING,
            group_id=group_id,
            origin=origin.replace("\0", "").strip()[:200],
            consent=consent.replace("\0", "").strip()[:500],
        )
        session.add(added)
    return added


def receive(expected: Import, content: bytes, choice: Choice | None = None) -> Import:
    """Keep a file as it came, and have it read by a job: nothing of it is looked at here."""
    if choice is not None:
        with transaction() as session:
            session.get_one(Import, expected.id).choice = choice.as_dict()
    import_files.keep(expected.id, content)
    return _go_on(expected.id, ImportState.OPENING)


def _keep_lines(
    import_id: int,
    lines: Sequence[Line],
    between: Callable[[], None] = lambda: None,
    ends: float = float("inf"),
    is_mine: Callable[[Import], bool] = lambda _: True,
) -> bool:
    """Keep these lines, in order; False when the time ended first, or somebody else has it by now."""
    coming, stride = iter(lines), Stride(CHUNK)
    while some := list(islice(coming, stride.rows)):
        rows = [
            {"import_id": import_id, "line": line.line, "raw": line.as_dict(), "verdict": Verdict.UNREAD}
            for line in some
        ]
        with bulk_step(stride) as (session, _):
            found = session.get(Import, import_id)
            if found is None or not is_mine(found):
                return False
            found.held_at = now()
            session.execute(insert(ImportLine), rows)
        between()
        if time.monotonic() > ends:
            return False
    return True


def _go_on(import_id: int, state: ImportState, total: int = 0) -> Import:
    with transaction() as session:
        added = session.get_one(Import, import_id)
        added.state, added.total = state, total
    ring(import_id)
    return added


def _open(import_id: int, between: Callable[[], None], ends: float) -> bool:
    """Read a file that was kept, and go on where an interrupted attempt left it; False when its time ended first.

    One process at a time: a file read again gives the same lines, and the first of them may be there.
    """
    if not _claim(import_id):
        return True
    if _is_corrected(import_id):  # the lines are of a reading that somebody corrects
        _forget_lines(import_id)
    there = select(func.count()).select_from(ImportLine).where(ImportLine.import_id == import_id)
    kept = db.session.scalar(there) or 0
    db.session.rollback()
    try:
        read = _read_file(import_id)
    except Unreadable as error:
        return _could_not_read(import_id, error)
    if not _keep_layout(import_id, read.layout):
        return True
    if not _keep_lines(import_id, read.lines[kept:], between, ends, is_mine=_is_mine):
        return False
    with transaction() as session:
        found = session.get(Import, import_id)
        if found is not None and _is_mine(found):
            found.state, found.total, found.holder = ImportState.READING, len(read.lines), None
    return True


def _could_not_read(import_id: int, error: Unreadable) -> bool:
    """Say why, and forget the file; what somebody chose in vain is forgotten only (False: read it as before)."""
    if _choose_nothing(import_id, str(error)[:500]):
        return False
    _forget_lines(import_id)  # what an earlier attempt could read of it belongs to no list
    with transaction() as session:
        found = session.get(Import, import_id)
        if found is None or not _is_mine(found):
            return True
        found.state, found.total, found.holder = ImportState.UNREADABLE, 0, None
        found.reason, found.reason_line = str(error)[:500], error.line
    import_files.forget(import_id)
    return True


def _is_corrected(import_id: int) -> bool:
    layout = db.session.scalar(select(Import.layout).where(Import.id == import_id))
    db.session.rollback()
    return layout is None


def _read_file(import_id: int) -> Kept:
    """The file, as somebody chose or as it is recognised. Raises Unreadable."""
    content = import_files.content(import_id)
    choice = db.session.scalar(select(Import.choice).where(Import.id == import_id))
    db.session.rollback()
    return files.read_patiently(content, Choice(**choice) if choice else None)


def _keep_layout(import_id: int, layout: dict[str, Any]) -> bool:
    """Keep how the file was understood; from then on, lines that are there are of this reading."""
    with transaction() as session:
        found = session.get(Import, import_id)
        if found is None or not _is_mine(found):
            return False
        found.layout = layout
    return True


def _choose_nothing(import_id: int, reason: str) -> bool:
    """What somebody chose cannot be read: the file is read as it was before, and the reason is said."""
    with transaction() as session:
        found = session.get(Import, import_id)
        if found is None or not _is_mine(found) or not found.choice:
            return False
        found.choice, found.reason, found.holder = None, reason, None
    return True


def choose(import_id: int, choice: Choice) -> Import:
    """Have the file read once more, as somebody says that it is to be understood. Raises Refused."""
    with transaction() as session:
        found = _in_state(session, import_id, ImportState.READY)
        if import_id in _needed(session):
            raise Refused(N_("Une campagne utilise cette liste : jetez ou envoyez d’abord son brouillon."))
        if not import_files.is_kept(session, import_id):
            raise Refused(N_("Le fichier de cet import n’est plus gardé : importez-le de nouveau."))
        found.state, found.choice, found.layout, found.reason = ImportState.OPENING, choice.as_dict(), None, None
        found.position, found.cursor, found.total = 0, 0, 0
    ring(import_id)
    return found


def _claim(import_id: int) -> bool:
    """Whether this process reads the file from now on; not while another one that lives does."""
    with transaction() as session:
        found = session.get(Import, import_id)
        if found is None or found.state is not ImportState.OPENING:
            return False
        silent = found.held_at is None or abs(now() - found.held_at) > SILENT
        is_gone = found.holder is None or processes.is_alive(found.holder) is False
        if not (is_gone or silent or found.holder == processes.holder()):
            return False
        found.holder, found.held_at = processes.holder(), now()
    return True


def _is_mine(found: Import) -> bool:
    return found.state is ImportState.OPENING and found.holder == processes.holder()


def ring(import_id: int) -> None:
    """Have a worker go on with it."""
    bell.ring(job_queue.LISTS, job_queue.WORK_IMPORT, import_id, timeout=job_queue.LIST_SECONDS)


def unfinished() -> list[int]:
    """Imports that a step of is under way."""
    working = (ImportState.OPENING, ImportState.READING, ImportState.APPLYING, ImportState.UNDOING)
    return list(db.session.scalars(select(Import.id).where(Import.state.in_(working))))


def work(import_id: int, between: Callable[[], None] = lambda: None, seconds: float = WORK_SECONDS) -> bool:
    """Do what it needs, for so long; True when there is more. `between` is called between chunks."""
    ends, stride = time.monotonic() + seconds, Stride(CHUNK)
    is_file = db.session.scalar(select(Import.state).where(Import.id == import_id)) is ImportState.OPENING
    if is_file and not _open(import_id, between, ends):
        return True
    while time.monotonic() < ends:
        if not _chunk(import_id, stride):
            return False
        between()
    return True


def _chunk(import_id: int, stride: Stride) -> bool:
    steps: dict[ImportState, tuple[Callable[[Session, Import, list[ImportLine]], None], ImportState]] = {
        ImportState.READING: (compare, ImportState.READY),
        ImportState.APPLYING: (_apply, ImportState.APPLIED),
        ImportState.UNDOING: (_undo, ImportState.UNDONE),
    }
    is_done = False
    with bulk_step(stride) as (session, rows):
        found = session.get(Import, import_id)
        if found is None or found.state not in steps:
            return False
        step, then = steps[found.state]
        lines = _next_lines(session, found, rows)
        if lines:
            last = lines[-1].id
            step(session, found, lines)
            found.position += len(lines)
            found.cursor, found.held_at = last, now()
        else:
            found.state, found.position, found.cursor = then, 0, 0
            if then is ImportState.APPLIED:
                found.applied_at, found.layout, is_done = now(), None, True
        more = found.state in steps
    db.session.expunge_all()
    if is_done:  # nobody reads the file again
        import_files.forget(import_id)
    return more


def _next_lines(session: Session, owner: Import, rows: int) -> list[ImportLine]:
    """The lines that follow; an undo goes backwards, since what came last is taken back first."""
    query = select(ImportLine).where(ImportLine.import_id == owner.id)
    if owner.state is ImportState.UNDOING:
        if owner.cursor:
            query = query.where(ImportLine.id < owner.cursor)
        return list(session.scalars(query.order_by(ImportLine.id.desc()).limit(rows)))
    return list(session.scalars(query.where(ImportLine.id > owner.cursor).order_by(ImportLine.id).limit(rows)))


# -- comparing ----------------------------------------------------------------------------------------------


def correct(import_id: int, line_id: int, number: str, name: str | None = None) -> ImportLine:
    """Give a refused line another number. Raises Refused when the import is not waiting."""
    with transaction() as session:
        found = _in_state(session, import_id, ImportState.READY)
        line = session.get(ImportLine, line_id)
        if line is None or line.import_id != found.id:
            raise Refused(N_("Cette ligne n’est pas de cet import."))
        line.raw = {**line.raw, "number": number, "name": line.raw["name"] if name is None else name}
        line.raw.pop("said", None)
        _read(line, number, line.raw["name"], landlines=preferences.current().landlines)
        if line.verdict is Verdict.UNREAD:
            known = _by_number(session, {line.number}).get(line.number, [])
            rows = session.execute(
                select(ImportLine.number, ImportLine.name).where(
                    ImportLine.import_id == import_id, ImportLine.number == line.number, ImportLine.id != line.id
                )
            )
            _judge(line, known, {(number, fold(name)) for number, name in rows}, found)
    return line


# -- applying -------------------------------------------------------------------------------------------------


def apply(import_id: int, user_id: int | None = None) -> Import:
    """Have the contacts changed as the report says. Raises Refused."""
    return _start(import_id, ImportState.READY, ImportState.APPLYING, user_id, Action.IMPORT_APPLY)


def undo(import_id: int, user_id: int | None = None) -> Import:
    """Have everything put back as it was before, save what people changed since. Raises Refused."""
    return _start(import_id, ImportState.APPLIED, ImportState.UNDOING, user_id, Action.IMPORT_UNDO)


def _start(import_id: int, needed: ImportState, state: ImportState, user_id: int | None, action: Action) -> Import:
    with transaction() as session:
        found = _in_state(session, import_id, needed)
        found.state, found.position, found.cursor = state, 0, 0
        audit.record(session, user_id, action, import_id)
    ring(import_id)
    return found


def forget(import_id: int) -> None:
    """Drop an import that was not applied. Raises Refused."""
    with transaction() as session:
        found = session.get(Import, import_id)
        if found is None or found.state not in FORGETTABLE:
            raise Refused(N_("Cet import est déjà appliqué : annulez-le plutôt."))
        if import_id in _needed(session):
            raise Refused(N_("Une campagne utilise cette liste : jetez ou envoyez d’abord son brouillon."))
        found.state = ImportState.UNDONE  # nothing goes on with it, and it is forgotten by the clock if we are not
    _forget_lines(import_id)
    import_files.forget(import_id)
    with transaction() as session:
        session.delete(session.get_one(Import, import_id))


def drop(import_id: int) -> None:
    """Forget an import, whatever it was about to be, as long as it changed nothing."""
    with transaction() as session:
        found = session.get(Import, import_id)
        if found is None or found.state in (ImportState.APPLYING, ImportState.APPLIED, ImportState.UNDOING):
            return
        found.state = ImportState.UNDONE
    _forget_lines(import_id)
    import_files.forget(import_id)
    with transaction() as session:
        if (left := session.get(Import, import_id)) is not None:
            session.delete(left)


def _forget_lines(import_id: int) -> None:
    old, stride = select(ImportLine.id).where(ImportLine.import_id == import_id), Stride(500)
    while True:
        with bulk_step(stride) as (session, rows):
            ids = session.scalars(old.limit(rows)).all()
            session.execute(delete(ImportLine).where(ImportLine.id.in_(ids)))
        if len(ids) < rows:
            return


def _in_state(session: Session, import_id: int, state: ImportState) -> Import:
    found = session.get(Import, import_id)
    if found is None:
        raise Refused(N_("Cet import n’existe pas."))
    if found.state is not state:
        raise Refused(N_("Cet import n’en est pas là : rechargez la page."))
    return found


def _apply(session: Session, owner: Import, lines: list[ImportLine]) -> None:
    """Store the people of some lines; a contact that appeared or changed since the report is not trampled."""
    wanted = {line.number for line in lines if line.verdict in (Verdict.NEW, Verdict.CHANGED)}
    known = _by_number(session, wanted)
    added: list[tuple[ImportLine, Contact]] = []
    for line in lines:
        if line.verdict not in (Verdict.NEW, Verdict.CHANGED):
            continue
        contact = _same_person(line.name, known.get(line.number, []))
        if contact is None:
            contact = _new(owner, line)
            line.before = {"version": contact.version}  # a later line may change it already
            session.add(contact)
            known.setdefault(line.number, []).append(contact)
            added.append((line, contact))
        else:
            if contact.id is None:  # an earlier line of this chunk made it
                session.flush()
            _update(owner, contact, line)
    session.flush()
    for line, contact in added:
        line.contact_id = contact.id
        line.before = {"version": line.before["version"]} if line.before else None
    if owner.group_id is not None:
        present = {line.contact_id: line for line in reversed(lines) if line.contact_id is not None}
        for contact_id in groups.put(session, owner.group_id, list(present)):
            present[contact_id].before = {**(present[contact_id].before or {}), "joined": True}


def _new(owner: Import, line: ImportLine) -> Contact:
    contact = Contact(origin=owner.origin, import_id=owner.id, version=new_version())
    contacts.write(contact, line.name, line.number, contacts.clean_data(line.raw["data"]))
    if proof := proof_of(line, owner):
        contact.consent, contact.consent_at = proof, _agreed_at(line)
    return contact


def _agreed_at(line: ImportLine) -> datetime:
    """The day that the file says, if it has come; today otherwise."""
    try:
        day = datetime.fromisoformat(str(line.raw.get("agreed_on") or "")).replace(tzinfo=UTC)
    except ValueError:
        return now()
    return min(day, now())


def _update(owner: Import, contact: Contact, line: ImportLine) -> None:
    name, data = _merged(contact, line)
    line.contact_id = contact.id
    agreed_at = contact.consent_at.isoformat() if contact.consent_at else None
    before = {"name": contact.name, "data": contact.data, "consent": contact.consent, "agreed_at": agreed_at}
    before["was"] = contact.version
    contacts.write(contact, name, contact.number, data)
    if changes_consent(contact, line, owner):
        proof = proof_of(line, owner)
        contact.consent, contact.consent_at = proof, _agreed_at(line) if proof else None
    contact.version = new_version()
    line.before = {**before, "version": contact.version}


def _undo(session: Session, owner: Import, lines: list[ImportLine]) -> None:
    """Take lines back, the last one first: each contact as it was before that line, unless somebody changed it."""
    ids = {line.contact_id for line in lines if line.before is not None and line.contact_id is not None}
    known = {contact.id: contact for contact in session.scalars(select(Contact).where(Contact.id.in_(ids)))}
    joined = [line.contact_id for line in lines if line.before and line.before.get("joined")]
    if joined and owner.group_id is not None:
        session.execute(
            delete(group_contacts).where(
                group_contacts.c.group_id == owner.group_id, group_contacts.c.contact_id.in_(joined)
            )
        )
    gone: list[int] = []
    for line in lines:
        contact = known.get(line.contact_id or 0)
        if contact is None or line.before is None or "version" not in line.before:
            continue
        if contact.version != line.before["version"]:
            line.reason = CHANGED_SINCE
        elif "data" not in line.before:
            gone.append(contact.id)
        else:
            before = line.before
            contacts.write(contact, before["name"], contact.number, before["data"])
            if contact.consent != before["consent"]:
                at = before.get("agreed_at")
                contact.consent, contact.consent_at = before["consent"], datetime.fromisoformat(at) if at else None
            contact.version = before["was"]  # what the line before it left
            line.before = None
    session.flush()
    if gone:
        session.execute(update(ImportLine).where(ImportLine.contact_id.in_(gone)).values(contact_id=None, before=None))
        session.execute(delete(group_contacts).where(group_contacts.c.contact_id.in_(gone)))
        session.execute(delete(Contact).where(Contact.id.in_(gone)))
        session.expire_all()


def _needed(session: Session) -> set[int]:
    """Imports whose lines a draft or a campaign to come is for."""
    waiting = (CampaignState.DRAFT, CampaignState.SCHEDULED)
    held = session.scalars(select(Campaign.targets).where(Campaign.state.in_(waiting), Campaign.targets.is_not(None)))
    return {targets["import_id"] for targets in held if targets and targets.get("import_id")}


# -- the report -------------------------------------------------------------------------------------------------


def counts(import_id: int) -> dict[str, int]:
    """Lines by verdict, and the repaired ones among them."""
    rows = db.session.execute(
        select(ImportLine.verdict, func.count(), func.sum(db.cast(ImportLine.repaired, db.Integer)))
        .where(ImportLine.import_id == import_id)
        .group_by(ImportLine.verdict)
    )
    found = dict.fromkeys((verdict.value for verdict in Verdict), 0) | {"repaired": 0, "kept": 0}
    for verdict, number, repaired in rows:
        found[verdict.value] = number
        found["repaired"] += repaired or 0
    kept = select(func.count()).where(ImportLine.import_id == import_id, ImportLine.reason == CHANGED_SINCE)
    found["kept"] = db.session.scalar(kept) or 0
    return found


ORDER: Order[ImportLine] = Order(ImportLine.id, descending=False)


def lines_of(import_id: int, kind: str, after: str | None = None) -> Page[ImportLine]:
    """Lines of one verdict (or the repaired ones), in the file's order."""
    which = (
        or_(ImportLine.repaired.is_(True), ImportLine.reason == CUT_NAME)
        if kind == "repaired"
        else ImportLine.verdict == Verdict(kind)
    )
    return pagination.page(select(ImportLine).where(ImportLine.import_id == import_id, which), ORDER, after)


def tidy(moment: datetime | None = None) -> None:
    """Forget old imports: their lines hold what people's lists held; and lists whose arrival was interrupted."""
    session, present = db.session(), moment or now()
    old = select(Import.id).where(
        Import.created_at < present - KEPT,
        Import.state.in_((ImportState.READY, ImportState.APPLIED, ImportState.UNDONE, ImportState.UNREADABLE)),
    )
    forgettable = set(session.scalars(old)) - _needed(session) if session.scalar(old.limit(1)) is not None else set()
    has_lines = select(ImportLine.id).where(ImportLine.import_id == Import.id).exists()
    has_file = select(ImportPiece.id).where(ImportPiece.import_id == Import.id).exists()
    has_more = or_(has_lines, has_file, Import.layout.is_not(None))
    cut_short = select(Import.id).where(
        Import.state == ImportState.ARRIVING, Import.created_at < present - ARRIVES_WITHIN
    )
    for import_id in session.scalars(select(Import.id).where(Import.id.in_(forgettable), has_more)).all():
        with transaction() as writing:
            forgotten = writing.get_one(Import, import_id)
            forgotten.layout = forgotten.choice = None
        _forget_lines(import_id)
        import_files.forget(import_id)
    for import_id in import_files.of_others(WITH_FILE):  # somebody died before they were forgotten
        import_files.forget(import_id)
    for import_id in session.scalars(cut_short).all():
        _forget_lines(import_id)
        import_files.forget(import_id)
        with transaction() as writing:
            writing.delete(writing.get_one(Import, import_id))
