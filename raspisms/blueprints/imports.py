"""Bringing a list of people in: the file, the report, the corrections."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from .. import labels
from ..extensions import db
from ..forms.contact import ImportForm
from ..models import Import, Verdict
from ..pagination import whole
from ..people import groups, imports
from ..people.reading import Choice, Role
from ..web.tables import LARGEST_LIST

bp = Blueprint("imports", __name__, url_prefix="/imports")

KINDS = ("wrong", "left_out", "repaired", "new", "changed", "known", "double")


@bp.url_value_preprocessor
def allow_lists(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Lists are larger than other forms. Before everything that reads the request."""
    request.max_content_length = LARGEST_LIST
    request.max_form_memory_size = LARGEST_LIST


@bp.route("/new", methods=["GET", "POST"])
def new() -> str | Response | tuple[str, int]:
    form = ImportForm(groups.all_groups())
    if form.validate_on_submit():
        content, name = _brought(form)
        if not content.strip():
            form.file.errors = [gettext("Choisissez un fichier, ou collez une liste.")]
        else:
            wanted = imports.expect(
                name, current_user.id, form.chosen_group, form.origin.data or name, form.consent.data or ""
            )
            added = imports.receive(wanted, content)
            return redirect(url_for("imports.show", import_id=added.id))
    recent = list(db.session.scalars(select(Import).order_by(Import.id.desc()).limit(10)))
    return render_template("imports/new.html", form=form, recent=recent), 400 if form.is_submitted() else 200


def _brought(form: ImportForm) -> tuple[bytes, str]:
    """The list as it came, unread, and what it is called."""
    if form.file.data:
        return form.file.data.read(), form.file.data.filename or gettext("fichier")
    return (form.pasted.data or "").encode("utf-8", "replace"), gettext("liste collée")


@bp.get("/<int:import_id>")
def show(import_id: int) -> str:
    found = db.get_or_404(Import, import_id)
    counts = imports.counts(import_id)
    kind = request.args.get("kind", "")
    if kind not in KINDS:
        kind = next((kind for kind in KINDS if counts[kind]), "new")
    lines = imports.lines_of(import_id, kind, request.args.get("after"))
    template = "imports/_progress.html" if request.args.get("fragment") else "imports/show.html"
    return render_template(
        template, found=found, counts=counts, kind=kind, lines=lines, kinds=KINDS, roles=labels.ROLE_LABELS
    )


@bp.post("/<int:import_id>/columns")
def choose(import_id: int) -> Response:
    """Another sheet, another line of titles, other columns: the file is read once more."""
    found = db.get_or_404(Import, import_id)
    try:
        imports.choose(import_id, _choice(found.layout or {}))
    except imports.Refused as error:
        flash(gettext(str(error)), "warning")
    return redirect(url_for("imports.show", import_id=import_id))


def _choice(shown: dict[str, Any]) -> Choice:
    """What was chosen on the page: on another sheet or below other titles, columns are recognised anew."""
    sheet, header = request.form.get("sheet") or None, request.form.get("header", type=whole)
    if sheet is not None and sheet != shown.get("sheet"):
        return Choice(sheet)
    if header is not None and header != shown.get("header"):
        return Choice(sheet, header)
    roles = {role.value for role in Role}
    wanted = {name[7:]: role for name, role in request.form.items() if name.startswith("column-") and role in roles}
    return Choice(sheet, header, {at: role for at, role in wanted.items() if at.isascii() and at.isdecimal()})


@bp.post("/<int:import_id>/lines")
def correct(import_id: int) -> Response:
    """Numbers that were typed for refused lines."""
    fixed = wrong = 0
    try:
        for name, number in request.form.items():
            if name.startswith("number-") and name[7:].isascii() and name[7:].isdecimal() and number.strip():
                line = imports.correct(import_id, int(name[7:]), number)
                is_right = line.verdict not in {Verdict.WRONG, Verdict.LEFT_OUT}
                fixed, wrong = fixed + is_right, wrong + (not is_right)
    except imports.Refused as error:
        flash(gettext(str(error)), "warning")
    else:
        if wrong:
            flash(gettext("%(wrong)s numéros ne conviennent toujours pas.", wrong=wrong), "warning")
        elif fixed:
            flash(gettext("%(fixed)s lignes corrigées.", fixed=fixed), "success")
    return redirect(url_for("imports.show", import_id=import_id, kind="wrong" if wrong else None))


@bp.post("/<int:import_id>/<any(apply, undo, forget):verb>")
def act(import_id: int, verb: str) -> Response:
    """ "Importer", "Annuler l’import", "Abandonner"."""
    try:
        if verb == "forget":
            imports.forget(import_id)
            return redirect(url_for("contacts.index"))
        if verb == "apply":
            imports.apply(import_id, current_user.id, reading=request.form.get("reading", ""))
        else:
            imports.undo(import_id, current_user.id)
    except imports.Refused as error:
        flash(gettext(str(error)), "warning")
        return redirect(url_for("imports.show", import_id=import_id))
    return redirect(url_for("imports.show", import_id=import_id))
