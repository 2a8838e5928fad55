"""What the steps of an import share: its lines, its state, and who else needs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from .. import job_queue, refusals
from ..clock import now
from ..extensions import bell
from ..i18n import N_
from ..models import Campaign, CampaignState, Import, ImportLine, ImportState, Verdict
from ..storage.stride import Stride
from ..storage.transactions import bulk_step
from .reading import Line

# What is begun with; how far the next transactions go depends on the time that they take.
CHUNK = 200


class Refused(refusals.Refused):
    """The verb does not fit the import's state; str(error) is a sentence (a msgid)."""


def ring(import_id: int) -> None:
    """Have a worker go on with it."""
    bell.ring(job_queue.LISTS, job_queue.WORK_IMPORT, import_id, timeout=job_queue.LIST_SECONDS)


def in_state(session: Session, import_id: int, state: ImportState) -> Import:
    """The import, if it is in this state. Raises Refused."""
    found = session.get(Import, import_id)
    if found is None:
        raise Refused(N_("Cet import n’existe pas."))
    if found.state is not state:
        raise Refused(N_("Cet import n’en est pas là : rechargez la page."))
    return found


def needed_by_campaigns(session: Session) -> set[int]:
    """Imports whose lines a draft or a campaign to come is for."""
    waiting = (CampaignState.DRAFT, CampaignState.SCHEDULED)
    held = session.scalars(select(Campaign.targets).where(Campaign.state.in_(waiting), Campaign.targets.is_not(None)))
    return {targets["import_id"] for targets in held if targets and targets.get("import_id")}


def keep_lines(
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


def forget_lines(import_id: int) -> None:
    """Drop its lines, in short transactions."""
    old, stride = select(ImportLine.id).where(ImportLine.import_id == import_id), Stride(500)
    while True:
        with bulk_step(stride) as (session, rows):
            ids = session.scalars(old.limit(rows)).all()
            session.execute(delete(ImportLine).where(ImportLine.id.in_(ids)))
        if len(ids) < rows:
            return
