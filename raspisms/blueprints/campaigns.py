"""Campaigns: the list, the draft, the review, the progress after."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import format_datetime, gettext, ngettext
from flask_login import current_user
from sqlalchemy import Select, or_, select
from werkzeug.wrappers import Response as AnyResponse

from .. import csv_files, pagination
from ..campaigns import drafts, launch, lifecycle, outgoing_text, progress, repetition, review, targets
from ..campaigns.targets import Targets
from ..clock import now
from ..extensions import db
from ..figures.prices import price_of
from ..forms import mistakes
from ..forms.compose import ComposeForm
from ..i18n import N_
from ..labels import CAMPAIGN_LABELS, FATE_LABELS, STATUS_LABELS
from ..language import Mistake
from ..messages import listing
from ..models import Campaign, CampaignState, Fate, Phone, Recipient, Status
from ..pagination import Order, whole
from ..people import contact_list
from ..phones import choosing
from ..sms.purposes import Purpose
from ..web import composing, errors, tables
from ..web.filters import why_not
from ..web.tables import LARGEST_LIST

bp = Blueprint("campaigns", __name__, url_prefix="/campaigns")

SERIES_SHOWN = 12
# One that was launched a moment ago is called back by one click; later, that asks first.
LEAVES_SOON = timedelta(minutes=2)
VERBS: dict[str, Callable[[int, int], Campaign]] = {
    "pause": lifecycle.pause,
    "resume": lifecycle.resume,
    "cancel": lifecycle.cancel,
    "skip": functools.partial(lifecycle.cancel, only_this=True),
    "retry": lifecycle.retry_failed,
}


ORDERS: dict[str, Order[Campaign]] = {
    "newest": Order(Campaign.id),
    "oldest": Order(Campaign.id, descending=False),
    "name": Order(Campaign.id, Campaign.name, descending=False),
    "-name": Order(Campaign.id, Campaign.name),
}


@bp.url_value_preprocessor
def allow_lists(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A draft takes files of recipients. Before everything that reads the request."""
    request.max_content_length = request.max_form_memory_size = LARGEST_LIST


def _asked() -> tuple[Select[Campaign], dict[str, str]]:
    """The campaigns that the URL asks for, and its words for the links of the page."""
    words = tables.asked("q", "state", "tag", "sort")
    # A page that was left without a word is nobody's work; one that had words once is to be found.
    query = select(Campaign).where(or_(Campaign.text != "", Campaign.name != "", Campaign.form_key.is_not(None)))
    if "q" in words:
        query = query.where(progress.containing(words["q"]))
    if words.get("state") in {one.value for one in CampaignState}:
        query = query.where(Campaign.state == CampaignState(words["state"]))
    if "tag" in words:
        query = query.where(Campaign.tag == words["tag"])
    return query, words


@bp.get("/")
def index() -> str:
    query, words = _asked()
    name, order = pagination.chosen(ORDERS, words.get("sort"))
    page = pagination.page(query, order, request.args.get("after"))
    return render_template(
        "campaigns/index.html",
        rows=list(zip(page.rows, progress.brief(page.rows), strict=True)),
        page=page,
        words=words,
        sort=name,
        states=[(one.value, gettext(CAMPAIGN_LABELS[one])) for one in CampaignState],
    )


@bp.get("/campaigns.csv")
def export() -> Response:
    """The campaigns that the list shows, all of them."""
    query, _ = _asked()
    header = [
        gettext("Nom"), gettext("Statut"), gettext("Date"), gettext("Tag"), gettext("SMS"), gettext("Délivrés"),
        gettext("Échecs"), gettext("Coût"), gettext("Texte"),
    ]  # fmt: skip
    return tables.csv(csv_files.csv_lines(header, _lines(query)), "campagnes.csv")


def _lines(query: Select[Campaign]) -> Iterator[list[object]]:
    for campaign in pagination.everything(query, ORDERS["newest"]):
        found = progress.of(campaign)
        at = campaign.starts_at or campaign.created_at
        yield [
            campaign.name,
            gettext(CAMPAIGN_LABELS[campaign.state]),
            format_datetime(at, "yyyy-MM-dd HH:mm:ss"),
            campaign.tag,
            found.total,
            found.counts[Status.DELIVERED],
            found.counts[Status.FAILED],
            found.cost,
            campaign.text,
        ]


@bp.post("/bulk")
def bulk() -> AnyResponse:
    """What is done with the ticked campaigns."""
    verb, done = request.form.get("verb", ""), 0
    if verb not in {"pause", "resume", "cancel"}:
        abort(400)
    for campaign_id in request.form.getlist("chosen", type=whole)[: pagination.SIZE]:
        try:
            VERBS[verb](campaign_id, current_user.id)
        except lifecycle.Refused as error:
            flash(gettext(str(error)), "warning")
        else:
            done += 1
    if done:
        flash(ngettext("%(num)s campagne changée.", "%(num)s campagnes changées.", done), "success")
    return redirect(url_for("campaigns.index"))


@bp.get("/new")
def new() -> AnyResponse:
    return redirect(url_for("messages.new", campaign=1))


@bp.route("/<int:campaign_id>/edit", methods=["GET", "POST"])
def edit(campaign_id: int) -> composing.Page:
    found = drafts.get(campaign_id)
    if found is None and request.method == "POST":
        return errors.gone(
            gettext("Ce brouillon a été jeté depuis que la page est ouverte."), request.form.get("text", "")
        )
    draft = found or abort(404)
    if draft.state is not CampaignState.DRAFT:
        flash(gettext(drafts.NOT_A_DRAFT), "warning")
        return redirect(url_for("campaigns.show", campaign_id=campaign_id))
    return composing.compose(draft=draft)


@bp.get("/<int:campaign_id>")
def show(campaign_id: int) -> str | AnyResponse:
    campaign = _campaign(campaign_id)
    is_fragment = bool(request.args.get("fragment"))
    if campaign.state is CampaignState.DRAFT:
        if not campaign.text or campaign.being_written:
            return redirect(url_for("campaigns.edit", campaign_id=campaign_id))
        return _report(campaign, is_fragment)
    template = "campaigns/_progress.html" if is_fragment else "campaigns/show.html"
    found = progress.of(campaign)
    status, answer = request.args.get("status", ""), request.args.get("answer", "")
    answer = answer if answer in progress.KINDS else ""
    query = progress.answering(campaign.id, answer) if answer else progress.messages(campaign.id, status)
    page = pagination.page(query, listing.ORDERS["newest"], request.args.get("after"))
    may_retry = found.counts[Status.FAILED] and campaign.state is not CampaignState.SCHEDULED
    return render_template(
        template,
        campaign=campaign,
        progress=found,
        page=page,
        names=contact_list.names_of([message.number for message in page.rows]),
        reasons=listing.reasons([message.id for message in page.rows]),
        status=status,
        answer=answer,
        answers=progress.answers(campaign.id),
        retry=lifecycle.retriable(campaign.id) if may_retry else lifecycle.Retriable(),
        price=price_of(campaign.phone),
        series=repetition.of_series(campaign)[:SERIES_SHOWN],
        coming=repetition.coming(campaign),
        leaves_soon=campaign.starts_at is not None and campaign.starts_at < now() + LEAVES_SOON,
    )


def _report(campaign: Campaign, is_fragment: bool) -> str:
    """What would be sent, and to whom."""
    fate = request.args.get("fate", "")
    shown = Fate(fate) if fate in {one.value for one in Fate} else Fate.KEPT
    people: pagination.Page[Recipient] = pagination.Page([], None, is_first=True)
    summary = None
    if campaign.prepared_at is not None:
        summary = review.summary(campaign)
        if not fate and not summary.kept and summary.fates:  # why nobody gets it
            shown = max(summary.fates, key=lambda one: summary.fates[one])
        people = review.recipients(campaign.id, shown, request.args.get("after"))
    return render_template(
        "campaigns/_report.html" if is_fragment else "campaigns/report.html",
        campaign=campaign,
        summary=summary,
        people=people,
        fate=shown,
        text=outgoing_text.outgoing_text(campaign),
        expected=targets.estimate(Targets.of(campaign.targets)) if summary is None else 0,
    )


@bp.post("/<int:campaign_id>/send")
def send(campaign_id: int) -> AnyResponse:
    revision = request.form.get("revision", "")
    try:
        launch.send(campaign_id, revision, current_user.id, may_override=current_user.is_admin)
    except lifecycle.Refused as error:
        flash(gettext(str(error)), "warning")
    return redirect(url_for("campaigns.show", campaign_id=campaign_id))


@bp.post("/<int:campaign_id>/<any(pause, resume, cancel, skip, retry, duplicate, rewrite, remove):verb>")
def act(campaign_id: int, verb: str) -> AnyResponse:
    """What is done to a campaign."""
    _campaign(campaign_id)
    try:
        if verb in {"duplicate", "rewrite"}:
            copy = (drafts.duplicate if verb == "duplicate" else drafts.rewrite)(campaign_id, current_user.id)
            return redirect(url_for("campaigns.edit", campaign_id=copy.id))
        if verb == "remove":
            drafts.remove(campaign_id)
            return redirect(url_for("campaigns.index"))
        VERBS[verb](campaign_id, current_user.id)
    except lifecycle.Refused as error:
        flash(gettext(str(error)), "warning")
    return redirect(url_for("campaigns.show", campaign_id=campaign_id))


@bp.get("/<int:campaign_id>/report.csv")
def report_csv(campaign_id: int) -> Response:
    """Everybody of the review, with what becomes of them."""
    _campaign(campaign_id)
    header = [gettext(name) for name in (N_("Numéro"), N_("Nom"), N_("Résultat"), N_("Détail"), N_("SMS"), N_("Texte"))]
    rows = (
        [one.number, one.name, gettext(FATE_LABELS[one.fate]), why_not(one), one.parts, one.text]
        for one in review.everybody(campaign_id)
    )
    return tables.csv(csv_files.csv_lines(header, rows), f"campagne-{campaign_id}-compte-rendu.csv")


@bp.get("/<int:campaign_id>/messages.csv")
def messages_csv(campaign_id: int) -> Response:
    """Everybody of a campaign, with where their SMS stands."""
    _campaign(campaign_id)
    header = [
        gettext(name) for name in (N_("Numéro"), N_("Statut"), N_("Envoyé"), N_("Délivré"), N_("Coût"), N_("Texte"))
    ]
    rows = (
        [
            message.number,
            gettext(STATUS_LABELS[message.status]),
            format_datetime(message.sent_at, "yyyy-MM-dd HH:mm:ss") if message.sent_at else "",
            format_datetime(message.delivered_at, "yyyy-MM-dd HH:mm:ss") if message.delivered_at else "",
            message.cost,
            message.text,
        ]
        for message in progress.everybody(campaign_id)
    )
    return tables.csv(csv_files.csv_lines(header, rows), f"campagne-{campaign_id}.csv")


@bp.post("/autosave")
def autosave() -> AnyResponse | tuple[AnyResponse, int]:
    """Keep what somebody is writing; the draft may be there already."""
    draft_id = request.form.get("draft", type=whole)
    draft = drafts.get(draft_id) if draft_id is not None else None
    if draft_id is not None and draft is None:
        return jsonify(error=gettext("Ce brouillon a été jeté depuis que la page est ouverte.")), 409
    try:
        return jsonify(composing.autosave(draft))
    except lifecycle.Refused as error:
        return jsonify(error=gettext(str(error))), 409


@bp.post("/preview")
def preview() -> AnyResponse:
    """The text as one of the chosen people would get it: the n-th."""
    phones = choosing.offered()
    form = ComposeForm(phones)
    form.is_being_written = True
    form.validate()
    position = min(max(0, request.form.get("position", 0, type=whole)), 10_000)
    chosen = form.chosen(form.import_id)
    any_phone = db.session.get(Phone, drafts.freest_phone(db.session())) if phones else None
    phone = form.chosen_phone or any_phone
    text = outgoing_text.with_mention(form.text.data or "", Purpose(form.purpose.data or Purpose.INFORMATION), phone)
    try:
        wanted = outgoing_text.nth(targets.people(chosen), position)
        filled = outgoing_text.filled(text, wanted.person if wanted else None)
    except Mistake as mistake:
        return jsonify(error=mistakes.in_text(mistake))
    counted = outgoing_text.counted(filled.text)
    return jsonify(
        text=filled.text,
        name=(wanted.person.name or wanted.person.number) if wanted else "",
        missing=filled.missing,
        parts=counted.parts,
        people=targets.count(chosen),
    )


def _campaign(campaign_id: int) -> Campaign:
    return drafts.get(campaign_id) or abort(404)
