"""Bringing a list of people in: read, compared line by line, shown, applied, undone.

Each step is done by a job, in short transactions; its place is in the database, so that a restart, a full
disk or a closed browser only makes it go on later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from .. import pagination
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..models import Action, Import, ImportLine, ImportPiece, ImportState, Verdict
from ..pagination import Order, Page
from ..sms.folding import fold
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction
from ..team import audit, preferences
from . import import_files, import_opening, import_steps
from .import_lines import CUT_NAME, by_number, compare, judge, read
from .import_opening import choose
from .import_rows import CHUNK, Refused, forget_lines, in_state, keep_lines, needed_by_campaigns, ring
from .reading import Choice, Line

__all__ = [
    "Refused",
    "apply",
    "begin",
    "choose",
    "correct",
    "counts",
    "drop",
    "expect",
    "forget",
    "lines_of",
    "receive",
    "ring",
    "tidy",
    "undo",
    "unfinished",
    "work",
]

# Until it is applied, a file may be read once more, in another way.
WITH_FILE = (ImportState.ARRIVING, ImportState.OPENING, ImportState.READING, ImportState.READY)
FORGETTABLE = (ImportState.READY, ImportState.READING, ImportState.OPENING, ImportState.UNREADABLE)
CHANGES_CONTACTS = (ImportState.APPLYING, ImportState.APPLIED, ImportState.UNDOING)
# An arrival that is silent for so long was interrupted: somebody has to bring the list again.
ARRIVES_WITHIN = timedelta(hours=1)
WORK_SECONDS = 60.0
# A draft that nobody applied, and the lines of one that was, are forgotten after this long.
KEPT = timedelta(days=30)


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
    keep_lines(added.id, lines)
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


def _go_on(import_id: int, state: ImportState, total: int = 0) -> Import:
    with transaction() as session:
        added = session.get_one(Import, import_id)
        added.state, added.total = state, total
    ring(import_id)
    return added


def unfinished() -> list[int]:
    """Imports that a step of is under way."""
    working = (ImportState.OPENING, ImportState.READING, ImportState.APPLYING, ImportState.UNDOING)
    return list(db.session.scalars(select(Import.id).where(Import.state.in_(working))))


def work(import_id: int, between: Callable[[], None] = lambda: None, seconds: float = WORK_SECONDS) -> bool:
    """Do what it needs, for so long; True when there is more. `between` is called between chunks."""
    ends, stride = time.monotonic() + seconds, Stride(CHUNK)
    is_file = db.session.scalar(select(Import.state).where(Import.id == import_id)) is ImportState.OPENING
    if is_file and not import_opening.open_file(import_id, between, ends):
        return True
    while time.monotonic() < ends:
        if not _chunk(import_id, stride):
            return False
        between()
    return True


def _chunk(import_id: int, stride: Stride) -> bool:
    steps: dict[ImportState, tuple[Callable[[Session, Import, list[ImportLine]], None], ImportState]] = {
        ImportState.READING: (compare, ImportState.READY),
        ImportState.APPLYING: (import_steps.apply, ImportState.APPLIED),
        ImportState.UNDOING: (import_steps.undo, ImportState.UNDONE),
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
        found = in_state(session, import_id, ImportState.READY)
        line = session.get(ImportLine, line_id)
        if line is None or line.import_id != found.id:
            raise Refused(N_("Cette ligne n’est pas de cet import."))
        line.raw = {**line.raw, "number": number, "name": line.raw["name"] if name is None else name}
        line.raw.pop("said", None)
        read(line, number, line.raw["name"], landlines=preferences.current().landlines)
        if line.verdict is Verdict.UNREAD:
            known = by_number(session, {line.number}).get(line.number, [])
            rows = session.execute(
                select(ImportLine.number, ImportLine.name).where(
                    ImportLine.import_id == import_id, ImportLine.number == line.number, ImportLine.id != line.id
                )
            )
            judge(line, known, {(number, fold(name)) for number, name in rows}, found)
    return line


# -- applying -------------------------------------------------------------------------------------------------


def apply(import_id: int, user_id: int | None = None, *, reading: str | None = None) -> Import:
    """Have the contacts changed as the report says. Raises Refused, also where a page showed another `reading`."""
    return _start(import_id, ImportState.READY, ImportState.APPLYING, user_id, Action.IMPORT_APPLY, reading)


def undo(import_id: int, user_id: int | None = None) -> Import:
    """Have everything put back as it was before, save what people changed since. Raises Refused."""
    return _start(import_id, ImportState.APPLIED, ImportState.UNDOING, user_id, Action.IMPORT_UNDO)


def _start(
    import_id: int,
    needed: ImportState,
    state: ImportState,
    user_id: int | None,
    action: Action,
    reading: str | None = None,
) -> Import:
    with transaction() as session:
        found = in_state(session, import_id, needed)
        if reading is not None and reading != found.reading:
            raise Refused(N_("Cette liste a été relue autrement depuis : vérifiez-la de nouveau."))
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
        if import_id in needed_by_campaigns(session):
            raise Refused(N_("Une campagne utilise cette liste : jetez ou envoyez d’abord son brouillon."))
    drop(import_id)


def drop(import_id: int) -> None:
    """Forget an import, whatever it was about to be, as long as it changed nothing."""
    with transaction() as session:
        found = session.get(Import, import_id)
        if found is None or found.state in CHANGES_CONTACTS:
            return
        found.state = ImportState.UNDONE  # nothing goes on with it, and it is forgotten by the clock if we are not
    forget_lines(import_id)
    import_files.forget(import_id)
    with transaction() as session:
        if (left := session.get(Import, import_id)) is not None:
            session.delete(left)


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
    kept = select(func.count()).where(
        ImportLine.import_id == import_id, ImportLine.reason == import_steps.CHANGED_SINCE
    )
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
    forgettable = (
        set(session.scalars(old)) - needed_by_campaigns(session) if session.scalar(old.limit(1)) is not None else set()
    )
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
        forget_lines(import_id)
        import_files.forget(import_id)
    for import_id in import_files.of_others(WITH_FILE):  # somebody died before they were forgotten
        import_files.forget(import_id)
    for import_id in session.scalars(cut_short).all():
        forget_lines(import_id)
        import_files.forget(import_id)
        with transaction() as writing:
            writing.delete(writing.get_one(Import, import_id))
