"""Phones: the list with its callbacks, the form, the health."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from ..adapters import REGISTRY
from ..adapters.base import AccountError, AdapterError, Check
from ..extensions import bell, db
from ..forms.phone import PhoneForm, phone_form
from ..models import Phone, PhoneStatus
from ..phones import checking, choosing, deleting, saving, tokens
from ..phones.settings import UnknownAdapter, adapter_class, shown_values_of
from ..web.access import admin_only

bp = Blueprint("phones", __name__, url_prefix="/phones")


@bp.get("/")
def index() -> str:
    rows = [(phone, adapter_class(phone.adapter), _urls(phone)) for phone in choosing.offered()]
    return render_template("phones/index.html", rows=rows)


def _urls(phone: Phone) -> tokens.CallbackURLs | None:
    """The callback addresses, for those who may give them to a provider: whoever has one can pretend to be it."""
    return tokens.urls(phone) if current_user.is_admin else None


def _phone(phone_id: int) -> Phone:
    phone = db.session.get(Phone, phone_id)
    return phone if phone is not None and not phone.is_deleted else abort(404)


@bp.get("/<int:phone_id>")
def show(phone_id: int) -> str:
    """One phone: how it is, its callbacks, what can be done with it."""
    phone = _phone(phone_id)
    return render_template(
        "phones/show.html",
        phone=phone,
        adapter=adapter_class(phone.adapter),
        urls=_urls(phone),
        sent=deleting.sent(phone_id) if current_user.is_admin else 0,
    )


@bp.route("/new", methods=["GET", "POST"])
@admin_only
def new() -> str | Response | tuple[str, int]:
    key = request.args.get("adapter", "")
    if not key:
        offered = [adapter for adapter in REGISTRY.values() if not adapter.is_training]
        return render_template("phones/choose.html", adapters=offered)
    return _edit(key, None)


@bp.route("/<int:phone_id>/edit", methods=["GET", "POST"])
@admin_only
def edit(phone_id: int) -> str | Response | tuple[str, int]:
    phone = _phone(phone_id)
    return _edit(phone.adapter, phone)


def _edit(key: str, phone: Phone | None) -> str | Response | tuple[str, int]:
    try:
        kind = adapter_class(key)
    except UnknownAdapter:
        flash(gettext("Aucun adaptateur ne porte ce nom. Choisissez-en un dans la liste."), "error")
        return redirect(url_for("phones.new"))
    form = phone_form(kind, phone, shown_values_of(phone) if phone else {})
    problem: AdapterError | None = None
    if form.validate_on_submit():
        draft = saving.Draft(
            adapter=key,
            name=form.name.data or "",
            values=form.settings(),
            phone=phone,
            pace=form.pace.data or "",
            stop_number=form.stop_number.data or "",
        )
        if not saving.validate(draft):
            form.show_errors(draft.errors)
        else:
            result = _check(draft)
            accepted = isinstance(result, Check) or (form.without_check() and not isinstance(result, AccountError))
            if accepted and (saved := _save(form, draft, result)):
                return _saved(saved, result)
            problem = result if isinstance(result, AdapterError) else None
            form.keep_secrets()
    if isinstance(problem, AccountError):
        form.blame_credentials(gettext(problem.reason))
    page = render_template("phones/form.html", form=form, adapter=kind, phone=phone, problem=problem)
    return page, 400 if form.is_submitted() else 200


def _check(draft: saving.Draft) -> Check | AdapterError:
    db.session.rollback()  # nothing stays open while the provider thinks
    try:
        return saving.check(draft)
    except AdapterError as error:
        return error


def _save(form: PhoneForm, draft: saving.Draft, result: Check | AdapterError) -> Phone | None:
    try:
        return saving.save(draft, result, current_user.id)
    except IntegrityError:  # somebody took the name a moment ago
        form.show_errors({"name": saving.NAME_TAKEN})
        return None


def _saved(phone: Phone, result: Check | AdapterError) -> Response:
    if isinstance(result, Check):
        flash(gettext("Le téléphone « %(name)s » est prêt.", name=phone.name), "success")
        if result.warning:
            flash(gettext(result.warning), "warning")
    else:
        flash(gettext("Le téléphone « %(name)s » est enregistré, mais non vérifié.", name=phone.name), "warning")
    _ring(phone)
    return redirect(url_for("phones.show", phone_id=phone.id))


def _ring(phone: Phone) -> None:
    bell.ring_drain(phone.account_id)


@bp.post("/<int:phone_id>/check")
@admin_only
def check(phone_id: int) -> Response:
    """ "Rafraichir le status": ask the provider now."""
    _phone(phone_id)
    phone = checking.check(phone_id, asked_by_person=True)
    if phone is None:
        abort(404)
    if phone.can_send and phone.status is not PhoneStatus.UNVERIFIED:
        flash(gettext("« %(name)s » répond : tout va bien.", name=phone.name), "success")
        _ring(phone)
    elif phone.reason:
        flash(f"{phone.name} : {gettext(phone.reason)}", "error")
    return redirect(url_for("phones.show", phone_id=phone_id))


@bp.post("/<int:phone_id>/<any(enable, disable):verb>")
@admin_only
def switch(phone_id: int, verb: str) -> Response:
    """ "Activer" and "Désactiver": a disabled phone keeps its messages waiting."""
    _phone(phone_id)
    phone = saving.switch(phone_id, current_user.id, on=verb == "enable") or abort(404)
    if verb == "enable":
        return check(phone_id)
    flash(gettext("« %(name)s » est désactivé : ses SMS attendent.", name=phone.name), "success")
    return redirect(url_for("phones.show", phone_id=phone_id))


@bp.route("/<int:phone_id>/token", methods=["GET", "POST"])
@admin_only
def token(phone_id: int) -> str | Response:
    """Renew the callback URLs; asks first, since the old ones stop working."""
    phone = _phone(phone_id)
    if request.method == "GET":
        return render_template("phones/token.html", phone=phone, adapter=adapter_class(phone.adapter))
    tokens.renew(phone_id, current_user.id)
    flash(gettext("Nouvelles adresses pour « %(name)s » : transmettez-les au fournisseur.", name=phone.name), "success")
    return redirect(url_for("phones.show", phone_id=phone_id))


@bp.post("/<int:phone_id>/delete")
@admin_only
def delete(phone_id: int) -> Response:
    """It sends no more; what was said by it stays readable."""
    try:
        name = deleting.delete(phone_id, current_user.id)
    except deleting.Refused as error:
        flash(gettext(str(error)), "warning")
        return redirect(url_for("phones.show", phone_id=phone_id))
    if name is not None:
        flash(gettext("Le téléphone « %(name)s » est supprimé. Ses SMS restent lisibles.", name=name), "success")
    return redirect(url_for("phones.index"))


@bp.get("/<int:phone_id>/email")
@admin_only
def email(phone_id: int) -> str:
    """The message to send to the provider, ready to copy."""
    phone = _phone(phone_id)
    context: dict[str, Any] = {"phone": phone, "adapter": adapter_class(phone.adapter), "urls": tokens.urls(phone)}
    return render_template("phones/email.html", **context)
