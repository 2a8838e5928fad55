""" "SMS programmés": what leaves later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy import Select, func, select
from werkzeug.wrappers import Response as AnyResponse

from .. import csv_files, pagination
from ..campaigns import lifecycle, progress
from ..extensions import db
from ..models import Campaign, CampaignState, Fate, Recipient
from ..pagination import Order, whole
from ..phones import choosing
from ..web import tables
from ..web.tables import when

bp = Blueprint("scheduled", __name__, url_prefix="/scheduled")

ORDERS: dict[str, Order[Campaign]] = {
    "soonest": Order(Campaign.id, Campaign.starts_at, descending=False, read=pagination.moment),
    "latest": Order(Campaign.id, Campaign.starts_at, read=pagination.moment),
    "name": Order(Campaign.id, Campaign.name, descending=False),
    "-name": Order(Campaign.id, Campaign.name),
}


def _asked() -> tuple[Select[Campaign], dict[str, str]]:
    words = tables.asked("q", "phone", "sort")
    query = select(Campaign).where(Campaign.state == CampaignState.SCHEDULED, Campaign.starts_at.is_not(None))
    if "q" in words:
        query = query.where(progress.containing(words["q"]))
    if phone_id := tables.number("phone"):
        query = query.where(Campaign.phone_id == phone_id)
    return query, words


@bp.get("/")
def index() -> str:
    query, words = _asked()
    name, order = pagination.chosen(ORDERS, words.get("sort"))
    page = pagination.page(query, order, request.args.get("after"))
    return render_template(
        "scheduled/index.html",
        page=page,
        words=words,
        sort=name,
        people=_people([campaign.id for campaign in page.rows]),
        phones=choosing.offered(),
    )


def _people(ids: list[int]) -> dict[int, int]:
    """How many each of them is for."""
    rows = db.session.execute(
        select(Recipient.campaign_id, func.count())
        .where(Recipient.campaign_id.in_(ids), Recipient.fate == Fate.KEPT)
        .group_by(Recipient.campaign_id)
    )
    return {campaign_id: number for campaign_id, number in rows}


@bp.post("/cancel")
def cancel() -> AnyResponse:
    """The ticked ones do not leave."""
    done = 0
    for campaign_id in request.form.getlist("chosen", type=whole)[: pagination.SIZE]:
        campaign = db.session.get(Campaign, campaign_id)
        if campaign is None or campaign.state is not CampaignState.SCHEDULED:
            flash(gettext("Un de ces envois a déjà commencé : ouvrez-le pour l’arrêter."), "warning")
            continue
        try:
            lifecycle.cancel(campaign_id, current_user.id)
            done += 1
        except lifecycle.Refused as error:
            flash(gettext(str(error)), "warning")
    if done:
        flash(ngettext("%(num)s envoi annulé.", "%(num)s envois annulés.", done), "success")
    return redirect(url_for("scheduled.index"))


@bp.get("/scheduled.csv")
def export() -> Response:
    """What is scheduled, all of it."""
    query, _ = _asked()
    header = [
        gettext("Date"),
        gettext("Contenu"),
        gettext("Nom"),
        gettext("Téléphone"),
        gettext("Tag"),
        gettext("Destinataires"),
    ]
    return tables.csv(csv_files.csv_lines(header, _lines(query)), "sms-programmes.csv")


def _lines(query: Select[Campaign]) -> Iterator[list[object]]:
    for campaign in pagination.everything(query, ORDERS["soonest"]):
        starts: datetime | None = campaign.starts_at
        people = _people([campaign.id]).get(campaign.id, 0)
        yield [when(starts), campaign.text, campaign.name, campaign.phone.name, campaign.tag, people]
