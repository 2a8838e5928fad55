"""Switches for tests and demonstrations, below /sandbox: what the real provider does not have."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal

from flask import Blueprint, Response, jsonify, request

from . import inbound, magic, reports
from .state import state

bp = Blueprint("control", __name__, url_prefix="/sandbox")


@bp.get("/state")
def show() -> Response:
    """Everything that was asked, accepted and delivered, for tests to read."""
    sandbox = state()
    with sandbox.lock:
        return jsonify(
            switches=asdict(sandbox.switches),
            requests=sandbox.requests,
            messages=[asdict(sms) for sms in sandbox.messages],
            deliveries=sandbox.callbacks.deliveries,
            warnings=sandbox.warnings,
            accounts={
                login: {"credit": float(account.credit), "callbacks": account.callbacks}
                for login, account in sandbox.accounts.items()
            },
        )


@bp.get("/magic")
def show_magic() -> Response:
    """The numbers that make something happen."""
    return jsonify(statuses=magic.STATUSES, faults=magic.FAULTS, manners=magic.MANNERS)


@bp.post("/switches")
def switch() -> Response:
    """Change switches, by name."""
    sandbox = state()
    for name, value in request.get_json(force=True).items():
        setattr(sandbox.switches, name, type(getattr(sandbox.switches, name))(value))
    return jsonify(asdict(sandbox.switches))


@bp.post("/faults")
def add_faults() -> Response:
    """The next requests to send get these faults, in order."""
    sandbox = state()
    with sandbox.lock:
        sandbox.faults.extend(request.get_json(force=True)["faults"])
    return jsonify(faults=list(sandbox.faults))


@bp.post("/credit")
def set_credit() -> Response:
    """Give an account this much credit, in euros."""
    wanted = request.get_json(force=True)
    state().account(wanted["login"]).credit = Decimal(str(wanted["credit"]))
    return jsonify(wanted)


@bp.post("/replies")
def write() -> tuple[Response, int]:
    """A handset writes to one of our numbers; see inbound.write."""
    wanted = request.get_json(force=True)
    sms = inbound.write(state(), **wanted)
    return jsonify(asdict(sms)), 201


@bp.post("/reports")
def report() -> tuple[Response, int]:
    """Send one more report for an accepted SMS: `id`, `status`, and a manner of magic.MANNERS."""
    sandbox = state()
    wanted = request.get_json(force=True)
    sms = sandbox.messages[wanted["id"] - 1]
    reports.send(sandbox, sandbox.account(sms.login), sms, wanted["status"], wanted.get("manner", ""))
    return jsonify(asdict(sms)), 201
