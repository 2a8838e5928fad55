"""The search that stands on every page."""

from __future__ import annotations

from flask import Blueprint, render_template

from ..web import everywhere, tables

bp = Blueprint("search", __name__, url_prefix="/search")


@bp.get("/")
def index() -> str:
    """What has the words that somebody typed, of every kind."""
    q = tables.word("q")
    return render_template("search/index.html", q=q, found=everywhere.everywhere(q))
