"""raspisms send: one text for one or several numbers."""

from __future__ import annotations

import json
import time

import click
from sqlalchemy import select

from .. import health
from ..extensions import db
from ..models import Message, Phone, Status
from ..sending import dispatch, outbox
from ..texts import numbers as telephone_numbers
from ..words import N_, say
from ._app import fail, with_app
from .message import as_dict, status_word

# A report follows within seconds; later ones are seen on the page.
WAIT_SECONDS = 60.0
UNDER_WAY = (Status.QUEUED, Status.SENDING)


@click.command(help=say(N_("Envoie un SMS à un ou plusieurs numéros.")))
@click.option("--phone", "phone_name", required=True, help=say(N_("Nom du téléphone.")))
@click.option("--text", required=True)
@click.argument("numbers", nargs=-1, required=True)
@click.option("--wait", is_flag=True, help=say(N_("Attend l’accusé de réception, une minute au plus.")))
@click.option("--json", "as_json", is_flag=True)
@with_app
def send(phone_name: str, text: str, numbers: tuple[str, ...], wait: bool, as_json: bool) -> None:
    phone = db.session.scalar(select(Phone).where(Phone.name == phone_name))
    if phone is None:
        fail(N_("Aucun téléphone ne s’appelle « %(name)s »."), name=phone_name)
    wanted = _parsed(numbers)
    try:
        posted = outbox.post(phone, wanted, text)
    except outbox.TextRefused as error:
        fail(str(error))
    served = health.has_worker()
    if not served:  # nobody listens to the bell: this process sends, under the same lease as a worker
        dispatch.drain(phone.account_id)
    if wait:
        _wait([message.id for message in posted.messages], for_report=served)
    db.session.rollback()
    _print(posted, as_json)


def _parsed(raw: tuple[str, ...]) -> list[str]:
    wrong = [number for number in raw if not telephone_numbers.is_number(number)]
    if wrong:
        fail(
            N_("Ce ne sont pas des numéros de téléphone : %(numbers)s. Rien n’a été envoyé."), numbers=", ".join(wrong)
        )
    return [telephone_numbers.parse(number) for number in raw]


def _wait(ids: list[int], *, for_report: bool) -> None:
    """Until every message is where it will stay, or for a minute. Without a worker, no report can come."""
    ends = time.monotonic() + WAIT_SECONDS
    pending = (*UNDER_WAY, Status.SENT) if for_report else UNDER_WAY
    query = select(Message.id).where(Message.id.in_(ids), Message.status.in_(pending)).limit(1)
    while time.monotonic() < ends:
        db.session.rollback()
        if db.session.scalar(query) is None:
            return
        time.sleep(0.1)


def _print(posted: outbox.Posted, as_json: bool) -> None:
    if as_json:
        messages = [as_dict(message) for message in posted.messages]
        click.echo(json.dumps({"messages": messages, "opted_out": posted.opted_out}))
    else:
        for message in posted.messages:
            click.echo(f"{message.id}\t{message.number}\t{status_word(message.status)}")
        for number in posted.opted_out:
            click.echo(say("%(number)s a envoyé STOP : rien ne lui a été envoyé.", number=number))
    failed = any(message.status is Status.FAILED for message in posted.messages)
    if failed or not posted.messages:
        raise click.exceptions.Exit(1)
