"""What every command needs: settings, an application, a database at the right version."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask

from .. import config
from ..words import N_, say


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
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip()
        fail(N_("La base de données ne répond pas (%(reason)s) : vérifiez RASPISMS_DATABASE_URL."), reason=reason)


def application() -> Flask:
    """An application for a command, its database made when there is none yet."""
    from .. import create_worker_app
    from ..schema import Version, upgrade, version

    values = settings()
    try:
        Path(values["INSTANCE"]).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        fail(N_("Le dossier %(path)s ne peut pas être créé : vérifiez RASPISMS_INSTANCE."), path=values["INSTANCE"])
    app = create_worker_app(values)
    with app.app_context():
        with answering_database():
            found = version()
        if found is Version.EMPTY:
            upgrade()
        elif found is Version.OLD:
            fail(N_("La base de données est d’une version plus ancienne : lancez « raspisms db upgrade »."))
    return app


def with_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside an application context; what the database refuses ends it with a sentence."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from ..database import StorageUnavailable

        with application().app_context():
            try:
                return command(*args, **kwargs)
            except StorageUnavailable as error:
                fail(str(error))

    return run
