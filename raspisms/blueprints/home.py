"""The first page: where to begin, or what was sent."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
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
