"""Contacts: the list, one person with their history, what is done to many at once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy import ColumnElement, and_, or_
from werkzeug.wrappers import Response as AnyResponse

from ..campaigns import drafts
from ..conversations import threads
from ..extensions import db
from ..forms.contact import ContactForm
from ..models import Contact, Group, RemovalKind
from ..pagination import whole
from ..people import contact_list, contacts, erasure, exports, going, groups, opt_outs
from ..phones import choosing
from ..sms import phone_numbers as telephone_numbers
from ..sms.folding import fold
from ..web import tables, undoing
from ..web.access import admin_only, deleters_only

bp = Blueprint("contacts", __name__, url_prefix="/contacts")

PAGE = 50
# So many groups are offered while somebody types.
PICKED = 8


def _search() -> tuple[ColumnElement[bool], dict[str, str]]:
    """The condition of the present search, and its words for the links of the page."""
    asked = {name: request.values.get(name, "") for name in ("q", "group", "faulty")}
    group_id = int(asked["group"]) if asked["group"].isascii() and asked["group"].isdecimal() else None
    words = contact_list.spaceless(asked["q"])
    which = contact_list.matching(words, group_id, faulty=bool(asked["faulty"]))
    which = and_(which, going.stays())
    return which, {name: value for name, value in asked.items() if value}


@bp.get("/")
def index() -> str:
    which, asked = _search()
    sort = request.args.get("sort", "")
    template = "contacts/_list.html" if request.args.get("fragment") else "contacts/index.html"
    page = contact_list.page(which, request.args.get("after"), PAGE, sort)
    town = contact_list.town_key(contact_list.known_keys())
    return render_template(
        template,
        page=page,
        town=town,
        towns=contact_list.towns(page.rows, town),
        inside=contact_list.groups_by_contact([one.id for one in page.rows]),
        last=contact_list.last_exchanges([one.number for one in page.rows]),
        asked=asked | ({"sort": sort} if sort in contact_list.ORDERS else {}),
        sort=sort,
        total=contact_list.count(which),
        groups=groups.all_groups(),
        everybody=contact_list.count(contact_list.matching()) if not asked else None,
    )


@bp.get("/pick")
def pick() -> str:
    """The few people and groups that the composer offers; without a word, the groups."""
    words = contact_list.spaceless(request.args.get("q", ""))
    wanted = fold(words)
    offered = [group for group in groups.all_groups() if wanted in fold(group.name)]
    which = and_(contact_list.matching(words), going.stays())
    found = contact_list.page(which, None, 8)
    people = found.rows if words.strip() else []
    return render_template("contacts/_pick.html", contacts=people, groups=offered[:PICKED])


@bp.route("/new", methods=["GET", "POST"])
def new() -> str | AnyResponse | tuple[str, int]:
    return _edit(None)


@bp.route("/<int:contact_id>/edit", methods=["GET", "POST"])
def edit(contact_id: int) -> str | AnyResponse | tuple[str, int]:
    contact = db.session.get(Contact, contact_id)
    if contact is None and request.method == "GET":
        abort(404)
    return _edit(contact, gone=contact is None)


def _given() -> list[Group]:
    """The groups that people are put into by hand; one that goes too, as it may come back with its people."""
    return [group for group in groups.all_groups(with_going=True) if not group.is_conditional]


def _edit(contact: Contact | None, *, gone: bool = False) -> str | AnyResponse | tuple[str, int]:
    form = ContactForm(contact)
    if contact is None and not form.is_submitted():
        form.number.data = telephone_numbers.pretty(request.args.get("number", "")[:32])
    chosen = set(request.form.getlist("groups", type=whole))
    conflict = None
    if not gone and form.validate_on_submit():
        try:
            saved = contacts.save(
                contact.id if contact else None,
                form.typed_version,
                form.name.data or "",
                form.number.data or "",
                form.typed_data,
                group_ids=chosen & {group.id for group in _given()},
                consent=form.consent.data or "",
                origin=gettext("ajouté à la main"),
                user_id=current_user.id,
            )
            if contact is not None:
                going.spare(contact.id, *going.OF_CONTACTS)
        except contacts.Invalid as error:
            form.show_errors(error.errors)
        except contacts.Gone:
            contact, gone = None, True
        except contacts.Conflict:
            db.session.rollback()
            conflict = db.session.get(Contact, contact.id) if contact else None
            form.version.data = str(conflict.version) if conflict else ""
        else:
            flash(gettext("Le contact est enregistré."), "success")
            return redirect(url_for("contacts.show", contact_id=saved.id))
    elif contact and not form.is_submitted():
        chosen = contacts.groups_of(contact.id)
    page = render_template(
        "contacts/form.html",
        form=form,
        contact=contact,
        conflict=conflict,
        gone=gone,
        groups=_given(),
        chosen=chosen,
        keys=contact_list.known_keys(),
    )
    return page, 400 if form.is_submitted() else 200


@bp.get("/<int:contact_id>")
def show(contact_id: int) -> str:
    contact = db.get_or_404(Contact, contact_id)
    said = contact_list.history(contact.number, request.args.get("after"))
    own = contacts.groups_of(contact.id)
    return render_template(
        "contacts/show.html",
        contact=contact,
        said=said,
        exchanged=contact_list.exchanged(contact.number) if current_user.is_admin else 0,
        groups=[group for group in groups.all_groups() if group.id in own],
        opted_out=bool(opt_outs.silent(db.session(), [contact.number])),
        conversations=threads.with_number(contact.number),
        failure=next((one for one in said.rows if not one.is_incoming), None) if said.is_first else None,
    )


@bp.post("/<int:contact_id>/delete")
@deleters_only
def delete(contact_id: int) -> AnyResponse:
    """The contact goes, what was said stays."""
    contact = db.get_or_404(Contact, contact_id)
    sentence = gettext("« %(name)s » est supprimé, ses SMS restent.", name=contact.name or contact.number)
    subject = f"contact {contact_id}"
    undoing.delete(RemovalKind.CONTACT, [contact_id], sentence, subject=subject)
    return redirect(url_for("contacts.index"))


@bp.post("/<int:contact_id>/erase")
@admin_only
def erase(contact_id: int) -> AnyResponse:
    """Everything that is known of a person goes; a STOP survives as a digest."""
    db.get_or_404(Contact, contact_id)
    try:
        erasure.forget(contact_id, current_user.id)
    except erasure.StillLeaving as error:
        flash(gettext(str(error)), "warning")
        return redirect(url_for("contacts.show", contact_id=contact_id))
    flash(gettext("Tout ce qui concernait cette personne est effacé."), "success")
    return redirect(url_for("contacts.index"))


@bp.post("/<int:contact_id>/corrected")
def corrected(contact_id: int) -> AnyResponse:
    """The number is right after all."""
    contacts.confirm_number(contact_id) or abort(404)
    return redirect(url_for("contacts.show", contact_id=contact_id))


@bp.post("/bulk")
def bulk() -> AnyResponse:
    """What is done to the ticked contacts, or to all that the search found."""
    found, asked = _search()
    ticked = contact_list.by_ids(request.form.getlist("contact", type=whole)[:1000])
    # Who was ticked in a search of before is meant too, whatever the present one finds.
    which = and_(or_(found, ticked) if request.form.get("all") else ticked, going.stays())
    back = redirect(url_for("contacts.index", **dict[str, Any](asked)))
    count = contact_list.count(which)
    if not count:
        flash(gettext("Cochez au moins un contact."), "warning")
        return back
    verb = request.form.get("verb", "")
    if verb == "write":
        ids = list(db.session.scalars(db.select(Contact.id).where(which)))
        if len(ids) == 1 or not choosing.offered():  # without a phone, that page says what to do
            return redirect(url_for("messages.new", contact=ids[0]))
        draft = drafts.write_to_contacts(ids, current_user.id)
        return redirect(url_for("campaigns.edit", campaign_id=draft.id))
    if verb == "delete":
        _delete_all(which, count)
        return back
    flash(_done(verb, which), "success")
    return back


def _delete_all(which: ColumnElement[bool], count: int) -> None:
    if not current_user.can_delete:
        abort(403)
    ids = list(db.session.scalars(db.select(Contact.id).where(which)))
    named = [one.name or one.number for one in contact_list.page(which, None, 2).rows]
    sentence = ngettext(
        "%(num)s contact supprimé : %(names)s.",
        "%(num)s contacts supprimés : %(names)s.",
        count,
        names=_few(named, count),
    )
    undoing.delete(RemovalKind.CONTACTS, ids, sentence)


def _few(names: list[str], count: int) -> str:
    """The first of some names, and that there are more."""
    return ", ".join(names) + ("…" if count > len(names) else "")


def _done(verb: str, which: ColumnElement[bool]) -> str:
    group_id = request.form.get("to_group", type=whole) or 0
    if verb in {"add", "remove"}:
        known = {group.id: group for group in groups.all_groups() if not group.is_conditional}
        if group_id not in known:
            return str(gettext("Choisissez un groupe."))
        changed = contacts.change_groups(which, group_id, member=verb == "add")
        name = known[group_id].name
        if verb == "add":
            return str(
                ngettext(
                    "%(num)s contact ajouté à « %(name)s ».",
                    "%(num)s contacts ajoutés à « %(name)s ».",
                    changed,
                    name=name,
                )
            )
        return str(
            ngettext(
                "%(num)s contact retiré de « %(name)s ».",
                "%(num)s contacts retirés de « %(name)s ».",
                changed,
                name=name,
            )
        )
    if verb == "datum":
        try:
            changed = contacts.set_datum(which, request.form.get("key", ""), request.form.get("value", ""))
        except contacts.Invalid as error:
            sentence = error.errors["key"]
            return str(gettext(sentence))
        return str(ngettext("%(num)s contact modifié.", "%(num)s contacts modifiés.", changed))
    return abort(400)


@bp.get("/export.<any(csv, json):kind>")
def export(kind: str) -> Response:
    which, _ = _search()
    people = contact_list.everybody(which)
    if kind == "csv":
        return tables.csv(exports.as_csv(people), "contacts.csv")
    answer = Response(stream_with_context(exports.as_json(people)), mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="contacts.json"'
    return answer
