"""What makes the desk an application on a telephone: its manifest, its offline page, and the worker that shows it."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, render_template, url_for

from ..web.filters import asset

bp = Blueprint("installed", __name__)


@bp.get("/manifest.webmanifest")
def manifest() -> Response:
    """What a telephone needs to know to put it beside its other applications."""
    icons = [{"src": asset(f"icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"} for size in (192, 512)]
    answer = jsonify(
        name="RaspiSMS",
        short_name="RaspiSMS",
        start_url=url_for("conversations.index"),
        scope=url_for("home.index"),
        display="standalone",
        background_color="#f6f5f1",
        theme_color="#0f6b5c",
        icons=[one | {"purpose": purpose} for one in icons for purpose in ("any", "maskable")],
    )
    answer.mimetype = "application/manifest+json"
    return answer


@bp.get("/offline")
def offline() -> str:
    """What is shown while there is no network; it holds nothing of anybody."""
    return render_template("errors/offline.html")


@bp.get("/worker.js")
def worker() -> Response:
    """The service worker: at the root, since it may only look after what lies below it."""
    answer = current_app.send_static_file("worker.js")
    answer.headers["Cache-Control"] = "no-cache"
    return answer
