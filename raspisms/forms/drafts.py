"""A draft as the form that it was written in."""

from __future__ import annotations

from typing import Any

from ..campaigns.drafts import NAME_LENGTH
from ..campaigns.targets import Targets
from ..messages import hours
from ..models import Campaign
from ..sms import phone_numbers as telephone_numbers
from .moments import local


def of_draft(draft: Campaign | None) -> dict[str, Any]:
    """What the fields of the form hold."""
    if draft is None:
        return {}
    stored = Targets.of(draft.targets)
    any_phone = bool((draft.targets or {}).get("any_phone"))
    usual = draft.hours is hours.usual(draft.purpose)
    return {
        "phone": 0 if any_phone else draft.phone_id,
        "to": "\n".join(filter(None, (_typed(stored.numbers), stored.unread))),
        "text": draft.text,
        "name": draft.name if draft.text and draft.name != " ".join(draft.text.split())[:NAME_LENGTH] else "",
        "purpose": draft.purpose.value if draft.text and stored.is_purpose_chosen else None,
        "consent": stored.consent,
        "hours": "" if usual else draft.hours.value,
        "starts_at": local(draft.starts_at),
        "expires_at": local(draft.expires_at),
        "repeats": draft.repeats or "",
        "trial": str(draft.trial or ""),
        "tag": draft.tag or "",
    }


def _typed(numbers: list[dict[str, Any]]) -> str:
    """Numbers as they can be typed again: one a line, or the table that they came from."""
    if not any(one.get("data") or one.get("name") for one in numbers):
        return "\n".join(telephone_numbers.pretty(one["number"]) for one in numbers)
    keys = list(dict.fromkeys(key for one in numbers for key in one.get("data") or {}))
    rows = [";".join(["number", "name", *keys])]
    rows += [
        ";".join(
            _quoted(str(cell))
            for cell in (one["number"], one.get("name") or "", *((one.get("data") or {}).get(key, "") for key in keys))
        )
        for one in numbers
    ]
    return "\n".join(rows)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ';"\n') else cell
