"""raspisms worker: the workers alone, for a second machine that helps the first."""

from __future__ import annotations

import gc
import os

import click

from ..i18n import N_, say
from ._app import application, close_folder, fail, in_child, settings

SHARED = ("REDIS_URL", "DATABASE_URL", "SECRET_KEY")


@click.command(help=say(N_("Lance seulement les processus d’envoi et de réception, sur une deuxième machine.")))
def worker() -> None:
    from .. import jobs, supervisor  # noqa: F401 - imported once, and shared by every process
    from ..supervisor import process

    values = settings()
    _check_shared()
    close_folder(values)
    _check_secret()
    process.keep_descendants_together()
    process.be_thrifty()
    gc.collect()
    gc.freeze()
    processes = supervisor.Supervisor(supervisor.workers(values))
    processes.run(lambda: click.echo(say("Les processus d’envoi et de réception tournent. Ctrl-C arrête tout.")))


def _check_shared() -> None:
    """What two machines must have in common cannot be left to its default."""
    missing = [
        f"RASPISMS_{name}"
        for name in SHARED
        if not (os.environ.get(f"RASPISMS_{name}") or os.environ.get(f"RASPISMS_{name}_FILE"))
    ]
    if missing:
        fail(
            N_("Deux machines partagent leur base, leur file et leur secret : réglez %(names)s comme sur la première."),
            names=", ".join(missing),
        )


def _check_secret() -> None:
    """A wrong secret would pause every phone: it is found before anything is sent."""

    def check() -> None:
        from sqlalchemy import select

        from ..extensions import db
        from ..models import Phone
        from ..vault import Unreadable, vault

        with application().app_context():
            for phone in db.session.scalars(select(Phone)):
                try:
                    vault().open(phone.sealed_settings)
                except Unreadable:
                    fail(N_("RASPISMS_SECRET_KEY n’est pas celui de la première machine."))

    if not in_child("check", check):
        fail(N_("Rien n’a été lancé : la raison est ci-dessus."))
