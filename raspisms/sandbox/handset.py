"""A page on which a person reads and answers as if from a handset."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from . import inbound
from .state import OWN_NUMBERS, Sms, state

bp = Blueprint("handset", __name__)


@bp.app_template_filter("clock")
def clock(moment: float) -> str:
    return datetime.fromtimestamp(moment).strftime("%H:%M:%S")


@bp.app_template_filter("pretty")
def pretty(number: str) -> str:
    """French numbers in pairs, others as they are."""
    if number.startswith("+33") and len(number) == 12:
        national = "0" + number[3:]
        return "\N{NO-BREAK SPACE}".join(national[i : i + 2] for i in range(0, 10, 2))
    return number


@bp.get("/")
def index() -> str:
    """One conversation per handset, the latest first."""
    sandbox = state()
    threads: dict[tuple[str, str, str], list[Sms]] = {}
    with sandbox.lock:
        for sms in sandbox.messages[-500:]:
            threads.setdefault((sms.number, sms.sender, sms.login), []).append(sms)
        logins = list(sandbox.accounts)
    ordered = sorted(threads.items(), key=lambda thread: thread[1][-1].id, reverse=True)
    template = "_threads.html" if request.args.get("fragment") else "handset.html"
    return render_template(template, threads=ordered, logins=logins, own_numbers=OWN_NUMBERS)


@bp.post("/write")
def write() -> Response:
    """What a person typed on a handset."""
    form = request.form
    inbound.write(
        state(), login=form["login"], number=form["number"].replace(" ", ""), text=form["text"], to=form["to"]
    )
    return redirect("/")
