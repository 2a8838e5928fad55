"""Statistics by phone and status, and the numbers that need correcting."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from sqlalchemy import func, select

from .. import clock, csv_files
from ..campaigns import progress
from ..extensions import db
from ..figures import days, failing_numbers, replying
from ..labels import STATUS_LABELS
from ..models import Campaign, CampaignState
from ..phones import choosing
from ..web import chart, filters, tables

bp = Blueprint("statistics", __name__, url_prefix="/statistics")

USUAL_DAYS = 30
MOST_DAYS = 366
LATEST = 20


@bp.get("/")
def index() -> str:
    first, last, phone_id = _asked()
    found = days.by_day(first, last, phone_id)
    phones = choosing.to_filter_by()
    return render_template(
        "statistics/index.html",
        found=found,
        chart=chart.chart(found, first, last),
        phones=phones,
        phone_id=phone_id,
        first=first,
        last=last,
        days_with_figures=found.dates,
        presets=_presets(),
        hours=replying.by_hour(first, last, phone_id),
        campaigns=_campaigns(first, last, phone_id),
        counted_at=days.counted_at() if last >= clock.today() else None,
    )


def _presets() -> list[tuple[str, date, date]]:
    """The periods that people ask for."""
    today = clock.today()
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    return [
        (gettext("7 jours"), today - timedelta(days=6), today),
        (gettext("30 jours"), today - timedelta(days=29), today),
        (filters.month(month), month, today),
        (filters.month(before), before.replace(day=1), before),
    ]


def _campaigns(first: date, last: date, phone_id: int | None) -> list[tuple[Campaign, progress.Progress]]:
    """The latest campaigns of the period, with what became of them."""
    begun = func.coalesce(Campaign.starts_at, Campaign.created_at)
    query = select(Campaign).where(Campaign.state.not_in((CampaignState.DRAFT, CampaignState.SCHEDULED)))
    query = query.where(begun >= clock.bounds(first)[0], begun < clock.bounds(last)[1])
    if phone_id is not None:
        query = query.where(Campaign.phone_id == phone_id)
    found = list(db.session.scalars(query.order_by(Campaign.id.desc()).limit(LATEST)))
    return list(zip(found, progress.brief(found), strict=True))


@bp.get("/statistics.csv")
def export() -> Response:
    first, last, phone_id = _asked()
    found = days.by_day(first, last, phone_id)
    labels = (gettext(STATUS_LABELS[status]) for status in days.SHOWN)
    header = [gettext("Date"), *labels, gettext("Reçus")]
    rows = (
        [
            day.isoformat(),
            *(found.days.get(day, {}).get(status, 0) for status in days.SHOWN),
            found.received_days.get(day, 0),
        ]
        for day in found.dates
    )
    return tables.csv(csv_files.csv_lines(header, rows), "statistiques.csv")


@bp.get("/invalid-numbers")
def invalid() -> str:
    """ "Numéros invalides": where nothing ever arrives."""
    return render_template("statistics/invalid.html", rows=failing_numbers.invalid_numbers(200))


@bp.get("/invalid-numbers.csv")
def invalid_csv() -> Response:
    header = [gettext("Numéro"), gettext("Échecs"), gettext("Dernier échec"), gettext("Raison")]
    rows = (
        [row.number, row.failures, row.last_at.date(), gettext(row.reason) if row.reason else ""]
        for row in failing_numbers.invalid_numbers(None)
    )
    return tables.csv(csv_files.csv_lines(header, rows), "numeros-invalides.csv")


def _asked() -> tuple[date, date, int | None]:
    """The days and the phone that the page is about: the last thirty days unless it says otherwise."""
    today = clock.today()
    first = _day(request.args.get("from"), today - timedelta(days=USUAL_DAYS - 1))
    last = max(first, _day(request.args.get("to"), today))
    return max(first, last - timedelta(days=MOST_DAYS - 1)), last, tables.number("phone")


def _day(raw: str | None, otherwise: date) -> date:
    try:
        day = date.fromisoformat(raw or "")
    except ValueError:
        return otherwise
    return day if 2000 <= day.year <= 2100 else otherwise
