"""raspisms db: the database's version."""

from __future__ import annotations

import click

from ..i18n import N_, say
from . import _app


@click.group(help=say(N_("La base de données.")))
def db() -> None:
    pass


@db.command(help=say(N_("Met la base de données à jour.")))
def upgrade() -> None:
    from .. import create_worker_app
    from ..storage import schema

    values = _app.settings()
    _app.close_folder(values)
    with _app.readable_secret():
        app = create_worker_app(values)
    with app.app_context(), _app.answering_database():
        if schema.version() is schema.Version.NEWER:
            _app.fail_for_newer()
        schema.upgrade()
    click.echo(say("La base de données est à jour."))


@db.command(help=say(N_("Échoue si les tables ne sont pas celles que le code décrit (pour les développeurs).")))
@_app.with_app
def check() -> None:
    from alembic import command
    from alembic.util import CommandError

    from ..storage import schema

    try:
        command.check(schema.alembic_config())
    except CommandError as error:
        raise click.ClickException(str(error)) from error


@db.command(help=say(N_("Écrit une migration pour les changements du code (pour les développeurs).")))
@click.argument("title")
@click.option("--rev-id", required=True)
@_app.with_app
def revision(title: str, rev_id: str) -> None:
    from alembic import command

    from ..storage import schema

    command.revision(schema.alembic_config(), title, autogenerate=True, rev_id=rev_id)
