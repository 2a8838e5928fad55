"""What every command needs: settings, an application, a database at the right version."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask

from .. import config
from ..i18n import N_, say
from ..machine import folder


class WrongSettings(click.ClickException):
    """A setting is wrong: nothing was begun."""

    exit_code = 2


def fail(sentence: str, **values: Any) -> NoReturn:
    """End the command with one sentence on the error stream and exit code 1."""
    raise click.ClickException(say(sentence, **values))


def settings() -> dict[str, Any]:
    """The settings, or the end of the command with a sentence and exit code 2."""
    try:
        return config.load()
    except config.ConfigError as error:
        raise WrongSettings(str(error)) from error


def in_child(name: str, act: Callable[[], None]) -> bool:
    """Do something with the database in a child, so that the parent of all processes never opened it.

    False when it failed; the reason is on the error stream then.
    """
    from ..supervisor import process

    def run() -> None:
        try:
            with answering_database():
                act()
        except click.ClickException as error:
            error.show()
            raise SystemExit(1) from None

    return os.waitpid(process.fork(name, run), 0)[1] == 0


@contextmanager
def answering_database() -> Iterator[None]:
    """A database that cannot be reached ends the command with a sentence."""
    from sqlalchemy.exc import DatabaseError, OperationalError

    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip()
        if "readonly" in reason or "read-only" in reason:
            fail(N_("La base de données ne peut pas être écrite : vérifiez à qui appartiennent ses fichiers."))
        fail(N_("La base de données ne répond pas (%(reason)s) : vérifiez RASPISMS_DATABASE_URL."), reason=reason)
    except DatabaseError as error:
        fail(
            N_(
                "La base de données ne peut pas être lue (%(reason)s) : elle est abîmée, ou ce n’en est pas une. "
                "Reprenez une sauvegarde."
            ),
            reason=str(error.orig).strip(),
        )


def application() -> Flask:
    """An application for a command, its database made when there is none yet."""
    from .. import create_worker_app
    from ..storage.schema import Version, upgrade, version

    values = settings()
    close_folder(values)
    with readable_secret():
        app = create_worker_app(values)
    with app.app_context():
        with answering_database():
            found = version()
            if found is Version.EMPTY:
                upgrade()
        if found is Version.OLD:
            fail(N_("La base de données est d’une version plus ancienne : lancez « raspisms db upgrade »."))
        if found is Version.NEWER:
            fail_for_newer()
    return app


def fail_for_newer() -> NoReturn:
    """A database that a newer program has written is not touched."""
    fail(
        N_(
            "La base de données a été écrite par une version plus récente de RaspiSMS : "
            "installez cette version, ou reprenez une sauvegarde faite par celle-ci."
        )
    )


def close_folder(values: dict[str, Any]) -> None:
    """Make the instance folder and close it to others; what cannot be closed is said on the error stream."""
    instance = Path(values["INSTANCE"])
    try:
        open_to_others = folder.close(instance)
        with tempfile.TemporaryFile(dir=instance):
            pass
    except OSError as error:
        fail(
            N_("RaspiSMS ne peut pas écrire dans le dossier %(path)s (%(reason)s) : vérifiez RASPISMS_INSTANCE."),
            path=folder.shown(instance),
            reason=os.strerror(error.errno) if error.errno else type(error).__name__,
        )
    if open_to_others:
        click.echo(
            say(
                N_(
                    "Attention : d’autres comptes de cette machine peuvent lire %(path)s, qui contient numéros, "
                    "textes et clés, et RaspiSMS n’a pas pu le fermer. Donnez-lui un dossier à lui, sur un disque "
                    "qui connaît les droits (ext4, pas FAT)."
                ),
                path=folder.shown(open_to_others[0]),
            ),
            err=True,
        )


@contextmanager
def readable_secret() -> Iterator[None]:
    """A secret that cannot be read, or is none, ends the command with a sentence."""
    from ..vault import BadSecret

    try:
        yield
    except BadSecret as error:
        fail(
            N_(
                "Le secret de cette installation, %(path)s, est vide ou illisible : reprenez-le de votre sauvegarde. "
                "Sans lui, les clés des fournisseurs sont perdues ; pour repartir sans elles, supprimez ce fichier."
            ),
            path=folder.shown(error.path),
        )


def with_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside an application context; what the database refuses ends it with a sentence."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from ..storage.transactions import StorageUnavailable

        with application().app_context():
            try:
                return command(*args, **kwargs)
            except StorageUnavailable as error:
                fail(str(error))

    return run
