"""raspisms up: the whole installation in one foreground command."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

import click

from ..words import N_, say
from ._app import fail, in_child, settings

READY_SECONDS = 30.0


@click.command(help=say(N_("Lance tout : pages, callbacks, envoi, horloge. Ctrl-C arrête tout.")))
@click.option("--sandbox", is_flag=True, help=say(N_("Ajoute le bac à sable et un téléphone qui l’utilise.")))
def up(sandbox: bool) -> None:
    from .. import supervisor
    from ..supervisor import process

    values = settings()
    lock = _only_one(values)
    _ports_free(values, sandbox)
    _prepare(values, sandbox)
    process.keep_descendants_together()
    process.be_thrifty()
    gc.collect()
    gc.freeze()  # what the children share stays shared
    family = supervisor.Family(supervisor.services(values, sandbox=sandbox))
    family.run(lambda: _announce(values, sandbox))
    click.echo(say("RaspiSMS est arrêté."))
    lock.close()


def _only_one(values: dict[str, Any]) -> IO[str]:
    """Hold the instance: two supervisors would fight over its queue."""
    instance = Path(values["INSTANCE"])
    try:
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (instance / "up.lock").open("a")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fail(N_("RaspiSMS tourne déjà pour cette installation (%(path)s)."), path=str(instance))
    except OSError:
        fail(N_("Le dossier %(path)s ne peut pas être créé : vérifiez RASPISMS_INSTANCE."), path=str(instance))
    return lock


def _ports_free(values: dict[str, Any], sandbox: bool) -> None:
    names = ["PORT", "CALLBACKS_PORT"] + (["SANDBOX_PORT"] if sandbox else [])
    for name in names:
        host = "127.0.0.1" if name == "SANDBOX_PORT" else values["HOST"]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, values[name]))
            except OSError:
                fail(
                    N_("Le port %(port)s de %(host)s n’est pas libre : réglez RASPISMS_%(name)s."),
                    port=values[name],
                    host=host,
                    name=name,
                )


def _share() -> None:
    """Do once, before the first fork, what every child needs: imports, and the mapping of tables to classes."""
    from sqlalchemy.orm import configure_mappers

    from .. import blueprints, jobs, streaming, supervisor  # noqa: F401
    from ..campaigns import upkeep  # noqa: F401
    from ..supervisor import worker  # noqa: F401

    for late in ("granian.server", "valkey", "jinja2.ext"):
        with contextlib.suppress(ImportError):  # a library's own business: sharing is only thrift
            importlib.import_module(late)
    configure_mappers()


def _prepare(values: dict[str, Any], sandbox: bool) -> None:
    """Bring the database to its newest version, and make what the sandbox needs."""

    def prepare() -> None:
        from .. import create_worker_app, schema
        from ..sending import restoration
        from ..supervisor import sandbox_phone

        with create_worker_app(values).app_context():
            if schema.version() is not schema.Version.CURRENT:
                schema.upgrade()
            restoration.look()  # before anything leaves
            if sandbox:
                sandbox_phone.ensure()

    _share()
    if not in_child("prepare", prepare):
        fail(N_("La base de données n’a pas pu être préparée : la raison est ci-dessus."))


def _announce(values: dict[str, Any], sandbox: bool) -> None:
    """Say where to go, once the pages answer."""
    host = values["HOST"] if values["HOST"] not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - compared, not bound
    base = f"http://[{host}]:{values['PORT']}" if ":" in host else f"http://{host}:{values['PORT']}"
    setup = _wait_for_pages(base)
    if setup:
        click.echo(say("Nouvelle installation. Créez l’administrateur avec ce lien, valable une fois :"))
        click.echo(f"  {base}{_first_admin_path(values)}")
    else:
        click.echo(say("RaspiSMS : %(url)s", url=base))
    click.echo(say("Callbacks (à exposer par un proxy inverse) : %(url)s", url=values["PUBLIC_URL"]))
    if sandbox:
        click.echo(say("Bac à sable : http://127.0.0.1:%(port)s", port=values["SANDBOX_PORT"]))
    click.echo(say("Ctrl-C arrête tout."))


def _wait_for_pages(base: str) -> bool:
    """Wait until the pages answer; whether the installation is new."""
    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(f"{base}/health/live", timeout=2) as answer:  # noqa: S310 - our own page
                return bool(json.load(answer)["new_installation"])
        except (urllib.error.URLError, OSError, ValueError):
            time.sleep(0.05)
    return False


def _first_admin_path(values: dict[str, Any]) -> str:
    from .. import users, vault

    secret = values["SECRET_KEY"] or vault.read_or_make(Path(values["INSTANCE"]) / "secret.key")
    return f"/setup/{users.first_admin_token(vault.Vault(secret))}"
