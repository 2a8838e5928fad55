"""Errors as people read them: what happened, and what to do."""

from __future__ import annotations

import logging

from flask import Flask, g, render_template, request
from flask_babel import gettext
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError

from ..extensions import db
from ..i18n import N_
from ..storage.transactions import StorageUnavailable

log = logging.getLogger(__name__)

SENTENCES: dict[int, tuple[str, str]] = {
    400: (N_("Cette demande est incomplète"), N_("Revenez en arrière et recommencez.")),
    403: (
        N_("Réservé aux administrateurs"),
        N_("Demandez à un administrateur de RaspiSMS de le faire, ou de vous en donner le droit."),
    ),
    404: (
        N_("Cette page n’existe pas"),
        N_("L’adresse est peut-être incomplète, ou ce qu’elle montrait n’est plus là."),
    ),
    405: (N_("Cette page ne s’ouvre pas ainsi"), N_("Revenez en arrière et utilisez les boutons de la page.")),
    413: (N_("C’est trop gros"), N_("Ce qui a été envoyé dépasse ce que RaspiSMS accepte : réduisez-le.")),
    429: (N_("Trop d’essais"), N_("Attendez une minute, puis réessayez.")),
    500: (
        N_("RaspiSMS s’est trompé"),
        N_("Vos SMS acceptés ne sont pas perdus. Réessayez ; si cela continue, prévenez qui a installé RaspiSMS."),
    ),
}


def init_app(app: Flask) -> None:
    """Give each kind of error its page."""
    for status in SENTENCES:
        app.register_error_handler(status, _page)
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(StorageUnavailable, _storage)
    app.register_error_handler(OperationalError, _unreadable)
    for error in (OverflowError, DataError):  # an id that no database can count to is nobody's
        app.register_error_handler(error, _nowhere)


def render(title: str, sentence: str, status: int) -> tuple[str, int]:
    """A page with a title, a sentence and a way back."""
    return render_template("errors/error.html", title=title, sentence=sentence, status=status), status


def gone(sentence: str, typed: str) -> tuple[str, int]:
    """What a page was about is not there any more, or is somebody else; what was typed is given back."""
    title = gettext("Rien n’est parti")
    return render_template("errors/gone.html", title=title, sentence=sentence, typed=typed), 409


def login_as_nobody() -> None:
    """Draw the rest of this answer as for a stranger, without a look into the database."""
    g._login_user = AnonymousUserMixin()


def _nowhere(_error: Exception) -> tuple[str, int]:
    db.session.rollback()
    title, sentence = SENTENCES[404]
    return render(gettext(title), gettext(sentence), 404)


def _page(error: Exception) -> tuple[str, int]:
    status = getattr(error, "code", None) or 500
    if status >= 500:
        db.session.rollback()
    title, sentence = SENTENCES.get(status, SENTENCES[500])
    return render(gettext(title), gettext(sentence), status)


def _stale(_error: CSRFError) -> tuple[str, int]:
    return render(
        gettext("Cette page a expiré"),
        gettext("Revenez en arrière : votre texte y est encore. Rechargez la page, puis recommencez."),
        400,
    )


def _storage(error: StorageUnavailable) -> tuple[str, int]:
    log.error("%s %s: %s", request.method, request.endpoint, type(error.__cause__).__name__)
    db.session.rollback()
    return render(gettext("Rien n’a été enregistré"), gettext(str(error)), 503)


def _unreadable(error: OperationalError) -> tuple[str, int]:
    log.error("%s %s: %s", request.method, request.endpoint, type(error.orig).__name__)
    db.session.rollback()
    login_as_nobody()  # the page must not ask the database again who is looking
    return render(
        gettext("La base de données ne répond pas"),
        gettext("Réessayez dans quelques secondes ; si cela continue, prévenez qui a installé RaspiSMS."),
        503,
    )
