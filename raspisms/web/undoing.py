"""What people delete, as pages do it: it goes in a moment, and the next page offers to take that back."""

from __future__ import annotations

from collections.abc import Collection

from flask import flash, request, url_for
from flask_login import current_user

from ..models import RemovalKind
from ..scheduler import removals


def delete(kind: RemovalKind, ids: Collection[int], sentence: str, *, subject: str = "") -> None:
    """Delete these in ten seconds, and say what goes in `sentence`, with the way back."""
    removal_id = removals.begin(kind, ids, current_user.id, subject=subject)
    back = url_for("removals.undo", removal_id=removal_id)
    offer(sentence, back, seconds=removals.UNDO_SECONDS, list=request.blueprint or "")


def offer(sentence: str, action: str, *, seconds: int, **fields: str) -> None:
    """Say on the next page what was done, with a button that takes it back: a POST to `action` with these fields."""
    flash({"sentence": sentence, "action": action, "seconds": seconds, "fields": fields}, "undo")  # type: ignore[arg-type]
