"""raspisms phone: numbers at providers."""

from __future__ import annotations

import json

import click

from ..adapters.base import AdapterError
from ..i18n import N_, say
from ..models import Phone
from ..phones import saving, tokens
from ..phones.settings import UnknownAdapter, adapter_class
from ._app import fail, with_app


@click.group(help=say(N_("Les téléphones.")))
def phone() -> None:
    pass


@phone.command(help=say(N_("Ajoute un téléphone. Les réglages s’écrivent nom=valeur.")))
@click.argument("name")
@click.option("--adapter", required=True)
@click.argument("values", nargs=-1, metavar="NAME=VALUE…")
@click.option("--pace", default="", metavar="N", help=say(N_("SMS par minute au plus, pour les campagnes.")))
@click.option("--no-test", is_flag=True, help=say(N_("N’interroge pas le fournisseur.")))
@click.option("--json", "as_json", is_flag=True)
@with_app
def add(name: str, adapter: str, values: tuple[str, ...], pace: str, no_test: bool, as_json: bool) -> None:
    draft = saving.Draft(adapter=adapter, name=name, values=_pairs(values), pace=pace)
    try:
        valid = saving.validate(draft)
    except UnknownAdapter:
        fail(N_("Aucun adaptateur ne s’appelle « %(name)s »."), name=adapter)
    for given in draft.values:
        if given not in adapter_class(adapter).Settings.__dataclass_fields__:
            fail(N_("« %(name)s » n’est pas un réglage de cet adaptateur."), name=given)
    if not valid:
        raise click.ClickException("\n".join(f"{field}: {say(text)}" for field, text in draft.errors.items()))
    try:
        result = None if no_test else saving.check(draft)
    except AdapterError as error:
        raise click.ClickException(f"{say(error.reason)} {error.words}".strip()) from error
    _print(saving.save(draft, result), as_json)


def _pairs(values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for value in values:
        name, equals, content = value.partition("=")
        if not equals:
            fail(N_("« %(value)s » n’est pas de la forme nom=valeur."), value=name)
        pairs[name] = content
    return pairs


def _print(saved: Phone, as_json: bool) -> None:
    urls = tokens.urls(saved)
    if as_json:
        callbacks = {"status": urls.status, "reception": urls.reception}
        click.echo(json.dumps({"id": saved.id, "name": saved.name, "callbacks": callbacks}))
        return
    click.echo(say("Téléphone « %(name)s » ajouté.", name=saved.name))
    click.echo(say("Changement de status d’un SMS : %(url)s", url=urls.status))
    click.echo(say("Réception d’un SMS : %(url)s", url=urls.reception))
