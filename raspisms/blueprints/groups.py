"""Groups: chosen one by one, one inside the other, or by a rule."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from ..extensions import db
from ..forms import mistakes
from ..forms.contact import GroupForm
from ..i18n import N_
from ..language import Mistake
from ..models import Group, RemovalKind
from ..pagination import whole
from ..people import contact_list, groups
from ..people.person import Person
from ..scheduler import removals
from ..web import undoing
from ..web.access import deleters_only

bp = Blueprint("groups", __name__, url_prefix="/groups")

SHOWN = 50


@bp.get("/")
def index() -> str:
    gone = removals.going(RemovalKind.GROUP)
    shown = [group for group in groups.all_groups(with_children=True) if group.id not in gone]
    return render_template("groups/index.html", groups=shown, sizes=groups.sizes())


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
    preview = None
    if form.validate_on_submit():
        rule = (form.rule.data or "").strip() if conditional else None
        try:
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
                flash(gettext("Le groupe est enregistré."), "success")
                return redirect(url_for("groups.show", group_id=saved.id))
        except Mistake as mistake:
            form.rule.errors = [mistakes.in_rule(mistake)]
        except groups.Invalid as error:
            form.name.errors = [gettext(sentence) for sentence in error.errors.values()]
    elif group and not form.is_submitted():
        chosen = {child.id for child in group.children}
    keys = contact_list.known_keys()
    page = render_template(
        "groups/form.html",
        form=form,
        group=group,
        conditional=conditional,
        others=others,
        chosen=chosen,
        preview=preview,
        keys=keys,
        birthday=contact_list.birthday_key(keys),
    )
    return page, 400 if form.is_submitted() and preview is None else 200


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
    return render_template("groups/show.html", group=group, people=people, count=count, broken=broken)


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
    one = N_("%(num)s contact de « %(name)s » supprimé.")
    many = N_("%(num)s contacts de « %(name)s » supprimés.")
    sentence = gettext(one if len(ids) == 1 else many, num=len(ids), name=group.name)
    undoing.delete(RemovalKind.MEMBERS, ids, sentence, subject=f"group {group_id}")
    return redirect(url_for("groups.show", group_id=group_id))
