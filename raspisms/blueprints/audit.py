""" "Évènements": who of the team did what. It can be read and exported; nobody deletes from it."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from sqlalchemy import Select, select

from .. import csv_files, pagination
from ..labels import EVENT_LABELS
from ..models import AuditEntry
from ..pagination import Order
from ..team import users
from ..web import tables
from ..web.filters import event_label
from ..web.tables import when

bp = Blueprint("events", __name__, url_prefix="/events")

ORDERS: dict[str, Order[AuditEntry]] = {
    "newest": Order(AuditEntry.id),
    "oldest": Order(AuditEntry.id, descending=False),
    "type": Order(AuditEntry.id, AuditEntry.action, descending=False),
    "-type": Order(AuditEntry.id, AuditEntry.action),
}


def _asked() -> tuple[Select[AuditEntry], dict[str, str]]:
    words = tables.asked("q", "action", "user", "sort")
    query = select(AuditEntry)
    if "action" in words:
        query = query.where(AuditEntry.action == words["action"])
    if user_id := tables.number("user"):
        query = query.where(AuditEntry.user_id == user_id)
    if "q" in words:
        query = query.where(AuditEntry.subject.icontains(words["q"], autoescape=True))
    return query, words


@bp.get("/")
def index() -> str:
    query, words = _asked()
    name, order = pagination.chosen(ORDERS, words.get("sort"))
    return render_template(
        "events/index.html",
        page=pagination.page(query, order, request.args.get("after")),
        words=words,
        sort=name,
        actions=sorted(((action, event_label(action)) for action in EVENT_LABELS), key=lambda pair: pair[1]),
        people=[(user.id, user.name) for user in users.colleagues()],
    )


@bp.get("/events.csv")
def export() -> Response:
    """The events that the list shows, all of them."""
    query, _ = _asked()
    header = [gettext("Date"), gettext("Type"), gettext("Texte"), gettext("Qui")]
    return tables.csv(csv_files.csv_lines(header, _lines(query)), "evenements.csv")


def _lines(query: Select[AuditEntry]) -> Iterator[list[object]]:
    for entry in pagination.everything(query, ORDERS["newest"]):
        yield [when(entry.at), event_label(entry.action), entry.subject, entry.user.email if entry.user else ""]
