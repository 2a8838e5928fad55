"""raspisms user: the people who may sign in."""

from __future__ import annotations

import sys

import click

from ..i18n import N_, say
from ._app import fail, with_app


@click.group(help=say(N_("Les personnes qui peuvent se connecter.")))
def user() -> None:
    pass


@user.command(help=say(N_("Ajoute une personne.")))
@click.argument("email")
@click.option("--role", type=click.Choice(["admin", "member"]), default="member", show_default=True)
@click.option("--password-stdin", is_flag=True, help=say(N_("Lit le mot de passe sur l’entrée standard.")))
@with_app
def add(email: str, role: str, password_stdin: bool) -> None:
    from ..models import Role
    from ..team import users

    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt(say("Mot de passe"), hide_input=True, confirmation_prompt=True)
    try:
        users.add(email, password, Role(role))
    except users.Refused as error:
        fail(str(error))
    click.echo(say("%(email)s peut se connecter.", email=email))


@user.command(help=say(N_("Permet à une personne de supprimer ce qui est à l’équipe, ou ne le permet plus.")))
@click.argument("email")
@click.option("--delete/--no-delete", "may_delete", required=True, default=None, help=say(N_("Oui ou non.")))
@with_app
def rights(email: str, may_delete: bool) -> None:
    from ..team import users

    try:
        users.allow(email, may_delete=may_delete)
    except users.Refused as error:
        fail(str(error))
    sentence = "%(email)s peut supprimer." if may_delete else "%(email)s ne peut plus supprimer."
    click.echo(say(sentence, email=email))
