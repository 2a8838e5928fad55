"""raspisms send: one text for a few numbers, or for a file of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import click
from sqlalchemy import select

from .. import clock, gate
from ..campaigns import lifecycle
from ..extensions import db
from ..i18n import N_, say
from ..models import Campaign, CampaignState, Message, Phone, Status
from ..operations import health
from ..people import number_lists
from ..sending import acceptance, dispatch, outbox
from ..sms import phone_numbers as telephone_numbers
from ._app import fail, with_app
from .campaign import show_campaign
from .message import as_dict, status_word

# A report follows within seconds; later ones are seen on the page.
WAIT_SECONDS = 60.0
UNDER_WAY = (Status.QUEUED, Status.SENDING)
ENDED = (CampaignState.DONE, CampaignState.CANCELLED)


@click.command(help=say(N_("Envoie un SMS à un ou plusieurs numéros, ou à tous ceux d’un fichier.")))
@click.option("--phone", "phone_name", required=True, help=say(N_("Nom du téléphone.")))
@click.option("--text", required=True)
@click.argument("numbers", nargs=-1)
@click.option("--to-file", help=say(N_("CSV dont la première colonne est le numéro ; « - » pour l’entrée standard.")))
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]),
    metavar="AAAA-MM-JJ HH:MM",
    help=say(N_("Inutile après cette heure : ce qui n’est pas parti ne part plus.")),
)
@click.option("--wait", is_flag=True, help=say(N_("Attend l’accusé de réception, ou la fin de la campagne.")))
@click.option("--json", "as_json", is_flag=True)
@with_app
def send(
    phone_name: str,
    text: str,
    numbers: tuple[str, ...],
    to_file: str | None,
    expires: datetime | None,
    wait: bool,
    as_json: bool,
) -> None:
    phone = db.session.scalar(select(Phone).where(Phone.name == phone_name))
    if phone is None:
        fail(N_("Aucun téléphone ne s’appelle « %(name)s »."), name=phone_name)
    if bool(numbers) == bool(to_file):
        fail(N_("Donnez des numéros ou un fichier (--to-file), l’un ou l’autre."))
    if expires:
        expires = expires.replace(tzinfo=clock.zone())
    try:
        if to_file:
            _send_file(phone, text, to_file, expires, wait, as_json)
        else:
            _send_numbers(phone, text, numbers, expires, wait, as_json)
    except (outbox.Refused, lifecycle.Refused) as error:
        fail(str(error))


# -- a few numbers ------------------------------------------------------------------------------------


def _send_numbers(
    phone: Phone, text: str, numbers: tuple[str, ...], expires: datetime | None, wait: bool, as_json: bool
) -> None:
    account_id = phone.account_id
    posted = outbox.post(phone, _parsed(numbers), text, expires_at=expires)
    ids = [message.id for message in posted.messages]
    served = _serve(account_id)
    if wait:
        # Without a worker no report can come.
        pending = (*UNDER_WAY, Status.SENT) if served else UNDER_WAY
        query = select(Message.id).where(Message.id.in_(ids), Message.status.in_(pending)).limit(1)
        _until(lambda: db.session.scalar(query) is None, WAIT_SECONDS)
    db.session.rollback()
    db.session.expire_all()
    _print(posted, as_json)


def _parsed(raw: tuple[str, ...]) -> list[str]:
    wrong = [number for number in raw if not telephone_numbers.is_number(number)]
    if wrong:
        fail(
            N_("Ce ne sont pas des numéros de téléphone : %(numbers)s. Rien n’a été envoyé."), numbers=", ".join(wrong)
        )
    return [telephone_numbers.parse(number) for number in raw]


def _serve(account_id: int) -> bool:
    """Whether a worker listens to the bell; if not, this process sends, under the same lease as one."""
    served = health.has_worker()
    if not served:
        while dispatch.drain(account_id):
            pass
    return served


def _until(look: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        db.session.rollback()
        if look():
            return
        time.sleep(0.1)


def _said(refusal: gate.Refusal) -> dict[str, str]:
    """A refusal for scripts, with its sentence for people."""
    sentence = say(refusal.sentence, **refusal.values)
    return {"number": refusal.number, "reason": refusal.reason.value, "sentence": sentence}


def _print(posted: outbox.Posted, as_json: bool) -> None:
    if as_json:
        messages = [as_dict(message) for message in posted.messages]
        refused = [_said(one) for one in posted.refused]
        click.echo(json.dumps({"messages": messages, "opted_out": posted.opted_out, "refused": refused}))
    else:
        for message in posted.messages:
            click.echo(f"{message.id}\t{message.number}\t{status_word(message.status)}")
        for refusal in posted.refused:
            click.echo(say(refusal.sentence, **refusal.values))
    failed = any(message.status is Status.FAILED for message in posted.messages)
    if failed or not posted.messages:
        raise click.exceptions.Exit(1)


# -- a file -------------------------------------------------------------------------------------------


def _send_file(phone: Phone, text: str, to_file: str, expires: datetime | None, wait: bool, as_json: bool) -> None:
    account_id = phone.account_id
    try:
        with number_lists.open_list(to_file) as file:
            report = acceptance.post_campaign(phone, number_lists.first_column(file), text, expires_at=expires)
    except acceptance.NoRecipient as error:
        _print_lines(error.report)
        raise
    except OSError:
        fail(N_("Le fichier %(path)s ne peut pas être lu."), path=to_file)
    served = _serve(account_id)
    if wait and served:
        state = select(Campaign.state).where(Campaign.id == report.campaign_id)
        _until(lambda: db.session.scalar(state) in ENDED, float("inf"))
    db.session.rollback()
    _print_report(report, as_json)


def _print_report(report: acceptance.Report, as_json: bool) -> None:
    campaign = db.session.get_one(Campaign, report.campaign_id)
    if as_json:
        kinds = ("repaired", "invalid", "duplicates", "opted_out")
        lines: dict[str, list[dict[str, Any]]] = {kind: [vars(one) for one in getattr(report, kind)] for kind in kinds}
        lines["left_out"] = [{"line": one.line, **_said(one.refusal)} for one in report.left_out]
        click.echo(json.dumps({"campaign": lifecycle.as_dict(campaign), "accepted": report.accepted, **lines}))
        return
    show_campaign(campaign, as_json=False)
    _print_lines(report)


def _print_lines(report: acceptance.Report) -> None:
    """What became of the lines that made no message, and of those that had to be repaired."""
    for repair in report.repaired:
        sentence = say(
            N_("ligne %(line)s : « %(value)s » a été lu comme %(number)s"),
            line=repair.line,
            value=repair.value,
            number=telephone_numbers.pretty(repair.number),
        )
        click.echo(sentence, err=True)
    _print_refused(N_("ligne %(line)s : « %(value)s » n’est pas un numéro de téléphone"), report.invalid)
    _print_refused(N_("ligne %(line)s : %(value)s était déjà dans la liste"), report.duplicates)
    _print_refused(N_("ligne %(line)s : %(value)s a envoyé STOP"), report.opted_out)
    for refusal in report.left_out:
        why = _said(refusal.refusal)["sentence"]
        click.echo(say(N_("ligne %(line)s : %(why)s"), line=refusal.line, why=why), err=True)


def _print_refused(sentence: str, refused: Iterable[acceptance.Refusal]) -> None:
    for refusal in refused:
        click.echo(say(sentence, line=refusal.line, value=refusal.value), err=True)
