"""raspisms up: the whole installation in one foreground command."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
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

from ..i18n import N_, say
from ..machine import addresses, folder
from ._app import close_folder, fail, fail_for_newer, in_child, readable_secret, settings

READY_SECONDS = 30.0


@click.command(help=say(N_("Lance tout : pages, callbacks, envoi, horloge. Ctrl-C arrête tout.")))
@click.option("--sandbox", is_flag=True, help=say(N_("Ajoute le bac à sable et un téléphone qui l’utilise.")))
def up(sandbox: bool) -> None:
    from .. import supervisor
    from ..supervisor import process

    values = settings()
    close_folder(values)
    lock = _only_one(values)
    values["BIND"] = _address(values["HOST"])
    _ports_free(values, sandbox)
    _no_torn_copy(values)
    _prepare(values, sandbox)
    folder.mark_running(Path(values["INSTANCE"]))
    process.keep_descendants_together()
    process.be_thrifty()
    gc.collect()
    gc.freeze()  # what the children share stays shared
    processes = supervisor.Supervisor(
        supervisor.services(values, sandbox=sandbox), functools.partial(_tell_who_loops, Path(values["INSTANCE"]))
    )
    processes.run(lambda: _announce(values, sandbox))
    _close(values)
    click.echo(say("RaspiSMS est arrêté."))
    lock.close()


def _only_one(values: dict[str, Any]) -> IO[str]:
    """Hold the instance: two supervisors would fight over its queue."""
    instance = Path(values["INSTANCE"])
    try:
        lock = (instance / "up.lock").open("a")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fail(N_("RaspiSMS tourne déjà pour cette installation (%(path)s)."), path=folder.shown(instance))
    return lock


def _tell_who_loops(instance: Path, names: list[str]) -> None:
    """Let every page say it, see health.py."""
    from ..operations.health import LOOPS_FILE

    file = instance / LOOPS_FILE
    with contextlib.suppress(OSError):  # a full disk: the log has it
        if names:
            file.write_text(json.dumps(names), encoding="utf-8")
        else:
            file.unlink(missing_ok=True)


def _no_torn_copy(values: dict[str, Any]) -> None:
    """Refuse the copy of a running installation: it may lack what was being written, and nobody would notice."""
    instance = Path(values["INSTANCE"])
    if folder.is_copied_while_running(instance):
        fail(
            N_(
                "Le dossier %(path)s a été copié pendant que RaspiSMS tournait : la copie peut être incomplète. "
                "Arrêtez RaspiSMS et copiez de nouveau. Si c’est tout ce qu’il vous reste, supprimez le fichier "
                "« running » de la copie, relancez, et vérifiez vos derniers SMS."
            ),
            path=folder.shown(instance),
        )


def _close(values: dict[str, Any]) -> None:
    """Everything has ended: bring what SQLite keeps beside its files into them, so that a copy of them is whole."""

    def close() -> None:
        from .. import create_worker_app
        from ..receiving.inbox import inbox
        from ..storage import engine

        with create_worker_app(values).app_context():
            if not (engine.settle() and inbox().settle()):
                raise SystemExit(1)  # somebody has them open: the rest is beside them, and the mark stays

    if in_child("close", close):
        folder.mark_stopped(Path(values["INSTANCE"]))


def _address(host: str) -> str:
    """What to listen on."""
    try:
        return addresses.resolve(host)
    except addresses.Unknown:
        fail(N_("RASPISMS_HOST : aucune adresse ne porte le nom « %(host)s »."), host=host)


def _ports_free(values: dict[str, Any], sandbox: bool) -> None:
    names = ["PORT", "CALLBACKS_PORT"] + (["SANDBOX_PORT"] if sandbox else [])
    for name in names:
        host = "127.0.0.1" if name == "SANDBOX_PORT" else values["BIND"]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, values[name]))
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    fail(N_("RASPISMS_HOST : %(host)s n’est pas une adresse de cette machine."), host=host)
                if error.errno == errno.EACCES:
                    fail(
                        N_("Le port %(port)s est réservé au système : réglez RASPISMS_%(name)s à partir de 1024."),
                        port=values[name],
                        name=name,
                    )
                fail(
                    N_("Le port %(port)s de %(host)s n’est pas libre : réglez RASPISMS_%(name)s."),
                    port=values[name],
                    host=host,
                    name=name,
                )


def _share() -> None:
    """Do once, before the first fork, what every child needs: imports, and the mapping of tables to classes."""
    from sqlalchemy.orm import configure_mappers

    from .. import (
        blueprints,  # noqa: F401
        jobs,  # noqa: F401
        supervisor,  # noqa: F401
    )
    from ..live import streams  # noqa: F401
    from ..scheduler import sweep  # noqa: F401
    from ..supervisor import workers  # noqa: F401

    for late in ("granian.server", "valkey", "jinja2.ext"):
        with contextlib.suppress(ImportError):  # a library's own business: sharing is only thrift
            importlib.import_module(late)
    configure_mappers()


def _prepare(values: dict[str, Any], sandbox: bool) -> None:
    """Bring the database to its newest version, and make what the sandbox needs."""

    def prepare() -> None:
        from .. import create_worker_app
        from ..sending import restoration
        from ..storage import schema
        from ..supervisor import sandbox_phone

        with readable_secret():
            app = create_worker_app(values)
        with app.app_context():
            found = schema.version()
            if found is schema.Version.NEWER:
                fail_for_newer()
            if found is not schema.Version.CURRENT:
                schema.upgrade()
            restoration.look()  # before anything leaves
            if sandbox:
                sandbox_phone.ensure()
            else:
                sandbox_phone.switch_off()

    _share()
    if not in_child("prepare", prepare):
        fail(N_("La base de données n’a pas pu être préparée : la raison est ci-dessus."))


def _announce(values: dict[str, Any], sandbox: bool) -> None:
    """Say where to go, once the pages answer."""
    here = addresses.callable_name(addresses.from_here(values["BIND"]))
    setup = _wait_for_pages(f"http://{here}:{values['PORT']}")
    base = values["PAGES_URL"]
    if setup:
        click.echo(say("Nouvelle installation. Créez l’administrateur avec ce lien, valable une fois :"))
        click.echo(f"  {base}{_first_admin_path(values)}")
    else:
        click.echo(say("RaspiSMS : %(url)s", url=base))
    click.echo(say("Callbacks (à exposer par un proxy inverse) : %(url)s", url=values["PUBLIC_URL"]))
    if addresses.is_local(values["PUBLIC_URL"]):
        click.echo(say("  Un fournisseur ne peut pas encore joindre cette adresse : réglez RASPISMS_PUBLIC_URL."))
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
    from .. import vault
    from ..team import users

    secret = values["SECRET_KEY"] or vault.read_or_make(Path(values["INSTANCE"]) / "secret.key")
    return f"/setup/{users.first_admin_token(vault.Vault(secret))}"
