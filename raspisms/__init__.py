"""RaspiSMS: a small team sends and receives SMS from a shared number, on its own machine."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import config, extensions, vault
from .receiving import inbox
from .sms import phone_numbers
from .storage import engine
from .team import preferences
from .web import headers

__version__ = "0.1.0"


def create_app(settings: dict[str, Any] | None = None) -> Flask:
    """The whole application, for the LAN: pages, commands and callbacks.

    Settings come from the environment unless given. Raises config.ConfigError.
    """
    from . import blueprints
    from .operations import health

    app = _base(settings, WRITES_FOR_PEOPLE=True)
    app.response_class = headers.Answer
    extensions.init_pages(app)
    health.init_app(app)
    blueprints.init_app(app)
    return app


def create_callbacks_app(settings: dict[str, Any] | None = None) -> Flask:
    """The public application: the callback routes and nothing else. Raises config.ConfigError."""
    from .blueprints import callbacks

    # A provider waits for a second at most.
    app = _base(settings, static=False, LOCK_SECONDS=0.4, BELL_SECONDS=0.3)
    callbacks.init_app(app)
    return app


def create_worker_app(settings: dict[str, Any] | None = None) -> Flask:
    """For processes without pages: workers, the clock, commands. Raises config.ConfigError."""
    return _base(settings, static=False)


def _base(settings: dict[str, Any] | None, *, static: bool = True, **more: Any) -> Flask:
    values = config.load() if settings is None else settings
    app = Flask(
        __name__,
        instance_path=values["INSTANCE"],
        static_folder="static" if static else None,
    )
    app.config.from_mapping(values, **more)
    if proxies := app.config["PROXIES"]:  # who asks, and under which name, is what they say; see front.address_of
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_prefix=proxies
        )
    vault.init_app(app)
    extensions.db.init_app(app)
    engine.init_app(app)
    extensions.bell.init_app(app)
    inbox.init_app(app)
    phone_numbers.ask_for_countries(preferences.countries_of_numbers)
    return app
