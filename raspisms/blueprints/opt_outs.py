""" "SMS STOP": who is not written to any more, and messages that may ask for it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import format_datetime, gettext, ngettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from .. import csv_files, pagination
from ..extensions import db
from ..labels import ORIGIN_LABELS
from ..models import Message, OptOut
from ..pagination import whole
from ..people import contact_list, opt_outs
from ..web import tables
from ..web.access import admin_only

bp = Blueprint("optouts", __name__, url_prefix="/opt-outs")


@bp.get("/")
def index() -> str:
    words = tables.asked("q", "origin", "sort")
    name, order = pagination.chosen(opt_outs.ORDERS, words.get("sort"))
    query = opt_outs.matching(words.get("q", ""), words.get("origin", ""))
    page = pagination.page(query, order, request.args.get("after"))
    return render_template(
        "optouts/index.html",
        page=page,
        words=words,
        sort=name,
        names=contact_list.names_of([one.number for one in page.rows if one.number]),
        origins={origin: gettext(label) for origin, label in ORIGIN_LABELS.items()},
        suspected=opt_outs.suspected(request.args.get("suspected_after")),
    )


@bp.post("/bulk")
@admin_only
def bulk() -> AnyResponse:
    """The ticked numbers may be written to again."""
    ids = request.form.getlist("chosen", type=whole)[: pagination.SIZE]
    known = list(db.session.scalars(select(OptOut.id).where(OptOut.id.in_(ids))))
    for opt_out_id in known:
        opt_outs.remove(opt_out_id, current_user.id)
    flash(ngettext("%(num)s numéro retiré.", "%(num)s numéros retirés.", len(known)), "success")
    return redirect(url_for("optouts.index"))


@bp.post("/")
def add() -> AnyResponse:
    """Numbers that somebody types, one a line."""
    added, wrong = opt_outs.add_many(request.form.get("numbers", ""), current_user.id)
    if wrong:
        shown = ", ".join(f"« {piece} »" for piece in wrong[:10])
        flash(gettext("Ce ne sont pas des numéros : %(shown)s. Les autres sont ajoutés.", shown=shown), "warning")
    flash(ngettext("%(num)s numéro ajouté.", "%(num)s numéros ajoutés.", added), "success")
    return redirect(url_for("optouts.index"))


@bp.post("/<int:opt_out_id>/delete")
@admin_only
def delete(opt_out_id: int) -> AnyResponse:
    db.get_or_404(OptOut, opt_out_id)
    opt_outs.remove(opt_out_id, current_user.id)
    flash(gettext("Ce numéro peut de nouveau recevoir des SMS. C’est inscrit au journal."), "success")
    return redirect(url_for("optouts.index"))


@bp.post("/suspected/<int:message_id>/<any(confirm, dismiss):verb>")
def decide(message_id: int, verb: str) -> AnyResponse:
    """A person says whether a message meant STOP."""
    db.get_or_404(Message, message_id)
    opt_outs.decide(message_id, current_user.id, stops=verb == "confirm")
    if (conversation := request.form.get("conversation", type=whole)) is not None:  # decided where it was read
        return redirect(url_for("conversations.show", conversation_id=conversation))
    return redirect(url_for("optouts.index"))


@bp.get("/export.csv")
def export() -> Response:
    """The numbers, for another system; erased people are not in it, since nobody knows their number."""
    rows = db.session.execute(
        select(OptOut.number, OptOut.origin, OptOut.created_at)
        .where(OptOut.number.is_not(None), OptOut.lifted_at.is_(None))
        .order_by(OptOut.id)
    )
    lines = ([number, origin, format_datetime(at, "yyyy-MM-dd HH:mm:ss")] for number, origin, at in rows)
    body = csv_files.csv_lines(["number", "origin", "date"], lines)
    return tables.csv(body, "sms-stop.csv")
