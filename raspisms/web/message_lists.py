"""Lists of messages: what their address asks for, and what the page shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from flask import request
from flask_babel import gettext

from ..figures import days
from ..labels import STATUS_LABELS
from ..messages import listing
from ..models import Direction, RemovalKind
from ..people import contact_list, going
from ..phones import choosing
from . import tables


def asked(direction: Direction) -> listing.Asked:
    """What the URL of a list of messages asks for."""
    return listing.Asked(
        direction,
        q=tables.word("q"),
        status=request.args.get("status", ""),
        phone=tables.number("phone"),
        tag=tables.word("tag"),
        first=_day("from"),
        last=_day("to"),
        unread=bool(request.args.get("unread")),
        campaign=tables.number("campaign"),
        sort=request.args.get("sort", "newest"),
    )


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def listed(wanted: listing.Asked) -> dict[str, Any]:
    """A page of messages, with what the filters offer and the names to show."""
    page = listing.page(wanted, request.args.get("after"))
    if wanted.direction is Direction.IN:
        gone = going.of(RemovalKind.RECEIVED)
        page = replace(page, rows=[message for message in page.rows if message.id not in gone])
    return {
        "asked": wanted,
        "page": page,
        "names": contact_list.names_of([message.number for message in page.rows]),
        "phones": choosing.to_filter_by(),
        "status_options": [(one.value, gettext(STATUS_LABELS[one])) for one in days.SHOWN],
    }
