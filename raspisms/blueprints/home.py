"""The first page: where to begin, or what was sent."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.wrappers import Response

from ..extensions import db
from ..models import Phone

bp = Blueprint("home", __name__)


@bp.get("/")
def index() -> Response:
    """To the phones while there is none, to the messages afterwards."""
    has_phone = db.session.scalar(select(Phone.id).limit(1)) is not None
    return redirect(url_for("messages.index" if has_phone else "phones.index"))


@bp.get("/more")
def more() -> str:
    """What has no room in the bar of a telephone."""
    places = (
        ("groups.index", "group", gettext("Groupes"), False),
        ("optouts.index", "stop", gettext("SMS STOP"), False),
        ("texts.index", "pen", gettext("Modèles de texte"), False),
        ("statistics.index", "chart", gettext("Statistiques"), False),
        ("phones.index", "phone", gettext("Téléphones"), False),
        ("preferences.index", "dials", gettext("Réglages"), True),
        ("profile.index", "person", gettext("Mon profil"), False),
    )
    return render_template("home/more.html", places=places)
