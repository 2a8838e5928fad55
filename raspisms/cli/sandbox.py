"""raspisms sandbox: the pretended Octopush alone."""

from __future__ import annotations

import click

from ..i18n import N_, say
from ._app import settings


@click.command(help=say(N_("Lance seulement le bac à sable, un faux Octopush sur cette machine.")))
def sandbox() -> None:
    from ..sandbox.server import make

    server = make(settings()["SANDBOX_PORT"])
    click.echo(say("Bac à sable : http://127.0.0.1:%(port)s (Ctrl-C pour arrêter)", port=server.port))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo()
