"""Groups: chosen one by one, one inside the other, or by a rule."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy import and_
from werkzeug.wrappers import Response

from ..extensions import db
from ..forms import mistakes
from ..forms.contact import GroupForm, typed_rows
from ..i18n import N_
from ..language import Mistake
from ..models import Campaign, CampaignState, Contact, Group, RemovalKind
from ..pagination import whole
from ..people import campaign_answers, contact_list, contacts, going, groups, recipients, rule_rows
from ..people.person import Person
from ..web import undoing
from ..web.access import deleters_only

bp = Blueprint("groups", __name__, url_prefix="/groups")

SHOWN = 50
# So many campaigns can be asked about in a rule's rows.
LATEST = 20


@bp.get("/")
def index() -> str:
    shown = groups.all_groups(with_children=True)
    rules = {group.id: group.rule or "" for group in shown if group.is_conditional}
    asked_about = {one for rule in rules.values() for one in campaign_answers.asked_by(rule)}
    return render_template(
        "groups/index.html",
        groups=shown,
        sizes=groups.sizes(),
        by_rows={group_id: rule_rows.of_rule(rule) for group_id, rule in rules.items()},
        comparisons=rule_rows.LABELS,
        asked_about=_named(asked_about),
    )


@bp.route("/new", methods=["GET", "POST"])
def new() -> str | Response | tuple[str, int]:
    return _edit(None, conditional=bool(request.args.get("conditional")))


@bp.route("/<int:group_id>/edit", methods=["GET", "POST"])
def edit(group_id: int) -> str | Response | tuple[str, int]:
    group = db.get_or_404(Group, group_id)
    return _edit(group, conditional=group.is_conditional)


def _edit(group: Group | None, *, conditional: bool) -> str | Response | tuple[str, int]:
    form = GroupForm(data={"name": group.name, "rule": group.rule} if group else {})
    chosen = set(request.form.getlist("children", type=whole))
    others = [other for other in groups.all_groups() if group is None or other.id != group.id]
    preview, rows_error = None, ""
    if form.validate_on_submit():
        try:
            rule = _rule(form) if conditional else None
            if request.form.get("preview"):
                preview = groups.preview_rule(rule or "")
            else:
                saved = groups.save(
                    group.id if group else None,
                    form.name.data or "",
                    rule=rule,
                    child_ids=chosen,
                    user_id=current_user.id,
                )
                going.spare(saved.id, RemovalKind.GROUP)
                flash(gettext("Le groupe est enregistré."), "success")
                return redirect(url_for("groups.show", group_id=saved.id))
        except rule_rows.NotARow as error:
            rows_error = gettext(str(error))
        except Mistake as mistake:
            form.rule.errors = [mistakes.in_rule(mistake)]
        except groups.Invalid as error:
            form.name.errors = [gettext(sentence) for sentence in error.errors.values()]
    elif group and not form.is_submitted():
        chosen = {child.id for child in group.children}
    keys = contact_list.known_keys()
    page = render_template(
        "groups/_preview.html" if request.form.get("fragment") else "groups/form.html",
        form=form,
        group=group,
        conditional=conditional,
        others=others,
        chosen=chosen,
        preview=preview,
        rows_error=rows_error,
        rows=_shown_rows(form),
        is_written=_is_written(form),
        campaigns=_campaigns_to_ask(),
        comparisons=rule_rows.LABELS,
        answers=rule_rows.ANSWERS,
        keys=keys,
        birthday=contact_list.birthday_key(keys),
    )
    return page, 400 if form.is_submitted() and preview is None and not request.form.get("fragment") else 200


def _is_written(form: GroupForm) -> bool:
    """Whether the rule is written, and not made of rows."""
    if form.is_submitted():
        return request.form.get("as", "written") == "written"
    return rule_rows.of_rule(form.rule.data) is None and bool(form.rule.data)


def _rule(form: GroupForm) -> str:
    """The rule that the page says: its rows, or what was written. Raises NotARow."""
    if _is_written(form):
        return (form.rule.data or "").strip()
    wanted = typed_rows()
    rule = rule_rows.written(wanted)
    if not rule:
        raise rule_rows.NotARow(N_("Remplissez au moins une ligne."))
    form.rule.data = rule
    return rule


def _shown_rows(form: GroupForm) -> rule_rows.Rows:
    found = typed_rows() if form.is_submitted() else rule_rows.of_rule(form.rule.data) or rule_rows.Rows([])
    filled = [row for row in found.rows if row.subject or row.value]
    return rule_rows.Rows([*filled, *[rule_rows.Row("", "is")] * (1 if filled else 2)], found.any_of)


def _campaigns_to_ask() -> list[Campaign]:
    """The latest campaigns that people can have answered."""
    over = Campaign.state.in_((CampaignState.SENDING, CampaignState.PAUSED, CampaignState.DONE))
    return list(db.session.scalars(db.select(Campaign).where(over).order_by(Campaign.id.desc()).limit(LATEST)))


@bp.get("/<int:group_id>")
def show(group_id: int) -> str:
    group = db.get_or_404(Group, group_id)
    mistake = groups.broken(group)
    people: list[Person] = []
    count = 0
    if mistake is None:
        for person in groups.members([group_id]):
            count += 1
            if len(people) < SHOWN:
                people.append(person)
    broken = mistakes.in_rule(mistake) if mistake else None
    return render_template(
        "groups/show.html",
        group=group,
        people=people,
        own=groups.own_among(group_id, [person.id for person in people if person.id]),
        count=count,
        broken=broken,
        rows=rule_rows.of_rule(group.rule) if group.rule and not broken else None,
        comparisons=rule_rows.LABELS,
        asked_about=_named(campaign_answers.asked_by(group.rule or "")),
    )


def _named(campaign_ids: set[int]) -> dict[int, str]:
    query = db.select(Campaign.id, Campaign.name).where(Campaign.id.in_(campaign_ids))
    return {campaign_id: name for campaign_id, name in db.session.execute(query)}


@bp.post("/<int:group_id>/add")
def add(group_id: int) -> Response:
    """Put people into the group, by their names or numbers; or the one who was just taken out, by id."""
    group = db.get_or_404(Group, group_id)
    found, unknown = recipients.contacts_named(request.form.get("people", ""))
    found += request.form.getlist("contact", type=whole)[:1]
    if found and not group.is_conditional:
        added = contacts.change_groups(and_(Contact.id.in_(found), going.stays()), group_id, member=True)
        flash(ngettext("%(num)s personne ajoutée.", "%(num)s personnes ajoutées.", added), "success")
    for sentence in unknown:
        flash(gettext(sentence.sentence, **sentence.values), "warning")
    return redirect(url_for("groups.show", group_id=group_id))


@bp.post("/<int:group_id>/people/<int:contact_id>/take-out")
def take_out(group_id: int, contact_id: int) -> Response:
    """One person leaves the group; the contact stays."""
    contact = db.get_or_404(Contact, contact_id)
    group = db.get_or_404(Group, group_id)
    contacts.change_groups(Contact.id == contact_id, group_id, member=False)
    sentence = gettext("%(name)s n’est plus dans « %(group)s ».", name=contact.name or contact.number, group=group.name)
    undoing.offer(sentence, url_for("groups.add", group_id=group_id), seconds=10, contact=str(contact_id))
    return redirect(url_for("groups.show", group_id=group_id))


@bp.post("/<int:group_id>/delete")
@deleters_only
def delete(group_id: int) -> Response:
    group = db.get_or_404(Group, group_id)
    sentence = gettext("Le groupe « %(name)s » est supprimé, ses contacts restent.", name=group.name)
    undoing.delete(RemovalKind.GROUP, [group_id], sentence)
    return redirect(url_for("groups.index"))


@bp.post("/<int:group_id>/delete-people")
@deleters_only
def delete_people(group_id: int) -> Response:
    """RaspiSMS's "Supprimer une liste dynamique de contacts": everybody whom the rule means now."""
    group = db.get_or_404(Group, group_id)
    ids = groups.member_ids(group_id)
    sentence = ngettext(
        "%(num)s contact de « %(name)s » supprimé.",
        "%(num)s contacts de « %(name)s » supprimés.",
        len(ids),
        name=group.name,
    )
    undoing.delete(RemovalKind.MEMBERS, ids, sentence, subject=f"group {group_id}")
    return redirect(url_for("groups.show", group_id=group_id))
