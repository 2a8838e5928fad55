"""The dashboard, the screen on the wall, and what has no other place."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from .. import clock
from ..extensions import db
from ..figures import days
from ..models import AuditEntry, Direction, Status
from ..people import contact_list
from ..team import users
from ..web import attention, chart, menu

bp = Blueprint("home", __name__)

DAYS = 30
MONTHS = 6
LATEST = 5


@bp.get("/")
def index() -> str:
    """ "Tableau de bord"."""
    needs = attention.attention()
    if request.args.get("fragment"):
        return render_template("home/_attention.html", needs=needs, name=_name_of(needs))
    today = clock.today()
    first = today - timedelta(days=DAYS - 1)
    figures = days.by_day(first, today, None)
    first_month = (today.replace(day=1) - timedelta(days=28 * (MONTHS - 1))).replace(day=1)
    sent, received = attention.latest(Direction.OUT, LATEST), attention.latest(Direction.IN, LATEST)
    steps = [] if current_user.toured else attention.first_steps()
    return render_template(
        "home/index.html",
        needs=needs,
        name=_name_of(needs),
        stock=attention.stock(),
        figures=figures,
        today_sent=sum(figures.days.get(today, {}).get(status, 0) for status in days.LEFT),
        usual=figures.usual(today),
        chart=chart.chart(figures, first, today),
        first=first,
        last=today,
        months=days.by_month(first_month),
        counted_at=days.counted_at(),
        sent=sent,
        received=received,
        names=contact_list.names_of([message.number for message in (*sent, *received)]),
        events=list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(LATEST))),
        steps=steps if any(not step.is_done for step in steps) else [],
    )


def _name_of(needs: attention.Attention) -> str:
    if needs.oldest is None:
        return ""
    return contact_list.names_of([needs.oldest.number]).get(needs.oldest.number, "")


@bp.post("/tour")
def end_tour() -> Response:
    """The first steps are known by now."""
    users.end_tour(current_user.id)
    return redirect(url_for("home.index"))


@bp.get("/wall")
def wall() -> str:
    """For a screen in the office: figures and colours, no name, number or text."""
    today = clock.today()
    figures = days.by_day(today, today, None)
    template = "home/_wall.html" if request.args.get("fragment") else "home/wall.html"
    return render_template(template, needs=attention.attention(), figures=figures, Status=Status)


@bp.get("/live")
def live() -> tuple[str, int]:
    """Streams are served beside the pages (see live.streams); where they are not, pages ask by themselves."""
    return "", 503


@bp.get("/design")
def design() -> str:
    """The parts that pages are made of, for those who make pages."""
    return render_template("home/design.html")


@bp.get("/more")
def more() -> str:
    """What has no room in the bar of a telephone."""
    return render_template("home/more.html", places=menu.elsewhere())
