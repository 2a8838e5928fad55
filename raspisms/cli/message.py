"""raspisms message: one message and what happened to it."""

from __future__ import annotations

import json
from typing import Any

import click

from ..extensions import db
from ..i18n import N_, say
from ..labels import STATUS_LABELS
from ..models import Message, Status
from ._app import fail, with_app


@click.group(help=say(N_("Les messages.")))
def message() -> None:
    pass


@message.command(help=say(N_("Montre un message et son histoire.")))
@click.argument("message_id", type=int, metavar="ID")
@click.option("--json", "as_json", is_flag=True)
@with_app
def show(message_id: int, as_json: bool) -> None:
    found = db.session.get(Message, message_id)
    if found is None:
        fail(N_("Aucun message n’a le numéro %(id)s."), id=message_id)
    if as_json:
        click.echo(json.dumps(as_dict(found)))
        return
    click.echo(f"{found.number}\t{status_word(found.status)}\t{found.text}")
    for event in found.events:
        details = [say(event.reason) if event.reason else "", event.words or ""]
        click.echo("\t".join([f"{event.at:%Y-%m-%d %H:%M:%S} UTC", status_word(event.status), *filter(None, details)]))


def status_word(status: Status) -> str:
    """The status in the terminal's language."""
    return say(STATUS_LABELS[status])


def as_dict(found: Message) -> dict[str, Any]:
    """A message as scripts read it: times in UTC (ISO 8601), amounts in euros."""
    submission = found.submission
    return {
        "id": found.id,
        "direction": found.direction.value,
        "phone": {"id": found.phone.id, "name": found.phone.name},
        "number": found.number,
        "text": found.text,
        "status": found.status.value,
        "parts": found.parts,
        "cost": None if found.cost is None else float(found.cost),
        "request_id": submission.request_id if submission else None,
        "ticket": submission.provider_id if submission else None,
        "created_at": found.created_at.isoformat(),
        "sent_at": found.sent_at.isoformat() if found.sent_at else None,
        "delivered_at": found.delivered_at.isoformat() if found.delivered_at else None,
        "events": [
            {
                "at": event.at.isoformat(),
                "status": event.status.value,
                "reason": say(event.reason) if event.reason else None,
                "words": event.words,
                "code": event.code,
            }
            for event in found.events
        ],
    }
