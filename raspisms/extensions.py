"""Flask extensions, made here and bound to an application by `init_app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, request
from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import Integer, MetaData, Table, event

from .i18n import Sentences
from .job_queue import Bell
from .job_queue import owned as bell_owned

# Names for every constraint, so that migrations can change them on SQLite too.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
LOCALES = ("fr", "en")

db = SQLAlchemy(metadata=MetaData(naming_convention=NAMING), session_options={"expire_on_commit": False})

csrf = CSRFProtect()
login = LoginManager()


class Languages(Babel):  # type: ignore[misc]
    """Flask-Babel, with French as its source."""

    @property
    def domain_instance(self) -> Sentences:
        """Where a page's sentences come from."""
        return Sentences()


babel = Languages()
bootstrap = Bootstrap5()
if TYPE_CHECKING:  # what Flask-SQLAlchemy makes at run time, for the type checker
    from sqlalchemy.orm import DeclarativeBase

    class Model(DeclarativeBase):
        """Base of every table."""

else:
    Model = db.Model
limiter = Limiter(get_remote_address, in_memory_fallback_enabled=True, headers_enabled=False)
bell = Bell()


@event.listens_for(Table, "after_parent_attach")
def _never_give_an_id_twice(table: Table, metadata: MetaData) -> None:
    """SQLite gives the highest id again once its row is gone; an open page would then speak of somebody else.

    Migrations, which have tables of their own, say so themselves.
    """
    keys = list(table.primary_key.columns)
    if metadata is db.metadata and len(keys) == 1 and isinstance(keys[0].type, Integer) and not keys[0].foreign_keys:
        table.dialect_options["sqlite"]["autoincrement"] = True


def init_pages(app: Flask) -> None:
    """Bind what pages for people need on top: sessions, forms, languages, styles."""
    csrf.init_app(app)
    login.init_app(app)
    login.login_view = "auth.login"
    login.login_message = None
    babel.init_app(app, locale_selector=_locale)
    bootstrap.init_app(app)
    app.config["RATELIMIT_KEY_PREFIX"] = bell_owned(app.config["NAMESPACE"], "limits")
    app.config["RATELIMIT_STORAGE_URI"] = _limiter_storage(app.config["REDIS_URL"])
    limiter.init_app(app)


def _limiter_storage(redis_url: str) -> str:
    return redis_url.replace("unix://", "redis+unix://", 1)


def _locale() -> str:
    """The signed-in person's language, else the browser's, else French."""
    if current_user and current_user.is_authenticated:
        return str(current_user.locale)
    return request.accept_languages.best_match(LOCALES, default="fr") or "fr"
