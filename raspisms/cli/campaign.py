"""raspisms campaign: what is under way, and the verbs on it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

import click

from ..campaigns import lifecycle
from ..extensions import db
from ..i18n import N_, say
from ..models import Campaign
from ._app import fail, with_app
from .message import status_word


@click.group(help=say(N_("Les campagnes : un texte pour beaucoup de personnes.")))
def campaign() -> None:
    pass


json_option = click.option("--json", "as_json", is_flag=True)
id_argument = click.argument("campaign_id", type=int, metavar="ID")


@campaign.command("list", help=say(N_("Montre les campagnes, la plus récente d’abord.")))
@json_option
@with_app
def list_(as_json: bool) -> None:
    found = lifecycle.newest()
    if as_json:
        click.echo(json.dumps([lifecycle.as_dict(one) for one in found]))
        return
    for one in found:
        _print(one)


@campaign.command(help=say(N_("Montre une campagne.")))
@id_argument
@json_option
@with_app
def show(campaign_id: int, as_json: bool) -> None:
    found = db.session.get(Campaign, campaign_id)
    if found is None:
        fail(N_("Cette campagne n’existe pas."))
    show_campaign(found, as_json)


@campaign.command(help=say(N_("Suspend une campagne : plus rien n’en part.")))
@id_argument
@json_option
@with_app
def pause(campaign_id: int, as_json: bool) -> None:
    _do(lifecycle.pause, campaign_id, as_json)


@campaign.command(help=say(N_("Reprend une campagne suspendue.")))
@id_argument
@json_option
@with_app
def resume(campaign_id: int, as_json: bool) -> None:
    _do(lifecycle.resume, campaign_id, as_json)


@campaign.command(help=say(N_("Annule ce qui n’est pas encore parti d’une campagne ; d’une série, tout ce qui suit.")))
@id_argument
@click.option(
    "--only-this", is_flag=True, help=say(N_("D’une série, seulement cet envoi : les suivants restent prévus."))
)
@json_option
@with_app
def cancel(campaign_id: int, only_this: bool, as_json: bool) -> None:
    _do(functools.partial(lifecycle.cancel, only_this=only_this), campaign_id, as_json)


@campaign.command(help=say(N_("Renvoie les SMS en échec d’une campagne.")))
@id_argument
@json_option
@with_app
def retry(campaign_id: int, as_json: bool) -> None:
    _do(lifecycle.retry_failed, campaign_id, as_json)


def _do(verb: Callable[[int], Campaign], campaign_id: int, as_json: bool) -> None:
    try:
        found = verb(campaign_id)
    except lifecycle.Refused as error:
        fail(str(error))
    show_campaign(found, as_json)


def show_campaign(found: Campaign, as_json: bool) -> None:
    """One campaign, as JSON or as a line for people."""
    if as_json:
        click.echo(json.dumps(lifecycle.as_dict(found)))
    else:
        _print(found)


def _print(found: Campaign) -> None:
    counted = [f"{status_word(status)} {n}" for status, n in lifecycle.counts(found.id).items() if n]
    click.echo("\t".join([str(found.id), found.state.value, found.name, ", ".join(counted)]))
