"""The file of an import becomes its lines: as it is recognised, or as somebody chose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..machine import processes
from ..models import Import, ImportLine, ImportState
from ..storage.transactions import transaction
from . import files, import_files
from .import_rows import Refused, forget_lines, in_state, keep_lines, needed_by_campaigns, ring
from .reading import Choice, Unreadable
from .reading.lines import Kept

# Who reads a file on another machine, and is silent for so long, does not any more.
SILENT = timedelta(minutes=15)


def open_file(import_id: int, between: Callable[[], None], ends: float) -> bool:
    """Read a file that was kept, and go on where an interrupted attempt left it; False when its time ended first.

    One process at a time: a file read again gives the same lines, and the first of them may be there.
    """
    if not _claim(import_id):
        return True
    if _is_corrected(import_id):  # the lines are of a reading that somebody corrects
        forget_lines(import_id)
    there = select(func.count()).select_from(ImportLine).where(ImportLine.import_id == import_id)
    kept = db.session.scalar(there) or 0
    db.session.rollback()
    try:
        read = _read_file(import_id)
    except Unreadable as error:
        return _could_not_read(import_id, error)
    if not _keep_layout(import_id, read.layout):
        return True
    if not keep_lines(import_id, read.lines[kept:], between, ends, is_mine=_is_mine):
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
    forget_lines(import_id)  # what an earlier attempt could read of it belongs to no list
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
        found = in_state(session, import_id, ImportState.READY)
        if import_id in needed_by_campaigns(session):
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
