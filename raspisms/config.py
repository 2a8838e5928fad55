"""Every setting: its name, its default, what it means, and how bad values are refused.

A setting `NAME` is read from the environment variable `RASPISMS_NAME`, or from the file that
`RASPISMS_NAME_FILE` names (for secrets handed over as files). A `RASPISMS_…` variable that nobody
reads is most likely a typing mistake, so it stops the start instead of being ignored.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import URL, make_url

from .i18n import N_, say
from .machine import addresses

PREFIX = "RASPISMS_"
# A Unix socket's path may hold 107 bytes; a deep instance folder needs a shorter place. So does one with a space or
# worse: the queue server lists its clients with their addresses, and RQ's client splits that list on spaces and "=".
SOCKET_PATH_LIMIT = 100
PLAIN_PATH = re.compile(rb"[A-Za-z0-9/._-]+")


class ConfigError(Exception):
    """A setting is unknown, wrong or contradicts another; str(error) is the sentence to show."""

    def __init__(self, sentence: str, **values: Any) -> None:
        super().__init__(say(sentence, **values))


def _port(value: str) -> int:
    if not value.isdigit() or not 1 <= int(value) <= 65535:
        raise ValueError(N_("un port est un nombre de 1 à 65535"))
    return int(value)


def _workers(value: str) -> int:
    if not value.isdigit() or not 1 <= int(value) <= 64:
        raise ValueError(N_("il en faut de 1 à 64"))
    return int(value)


def _proxies(value: str) -> int:
    if not value.isdigit() or int(value) > 9:
        raise ValueError(N_("c’est le nombre de proxys inverses devant RaspiSMS, de 0 à 9"))
    return int(value)


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(N_("une adresse ressemble à https://sms.example.org"))
    return value.rstrip("/")


def _redis_url(value: str) -> str:
    if urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError(N_("elle commence par redis://, rediss:// ou unix://"))
    return value


def _database_url(value: str) -> str:
    scheme = urlsplit(value).scheme
    if scheme in {"postgresql", "postgres"}:
        value, scheme = value.replace(scheme, "postgresql+psycopg", 1), "postgresql+psycopg"
    if scheme == "postgresql+psycopg" and find_spec("psycopg") is None:
        raise ValueError(N_("il faut aussi le paquet psycopg : .venv/bin/pip install psycopg[binary]"))
    if scheme not in {"sqlite", "postgresql+psycopg"}:
        raise ValueError(N_("elle commence par sqlite:/// ou postgresql+psycopg://"))
    return value


def _smtp_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError(N_("elle ressemble à smtps://nom:motdepasse@smtp.example.org"))
    return value


def _address(value: str) -> str:
    if "@" not in value or any(c in value for c in "\r\n"):
        raise ValueError(N_("une adresse e-mail ressemble à sms@example.org"))
    return value


def _secret(value: str) -> str:
    if len(value.strip()) < 32:
        raise ValueError(N_("il faut au moins 32 caractères"))
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(N_("un fuseau ressemble à Europe/Paris")) from error
    return value


@dataclass(frozen=True)
class Setting:
    """One setting; `default` is the text that the environment would have held, or None."""

    name: str
    default: str | None
    meaning: str
    read: Callable[[str], Any] = str


SETTINGS: tuple[Setting, ...] = (
    Setting("INSTANCE", None, "Folder of this installation's data; ./instance when not set."),
    Setting("DATABASE_URL", None, "Database; SQLite in the instance folder when not set.", _database_url),
    Setting("REDIS_URL", None, "Queue server; `up` starts its own when not set.", _redis_url),
    Setting("PUBLIC_URL", None, "Base of the callback URLs, as the provider sees it.", _http_url),
    Setting("OCTOPUSH_URL", "https://api.octopush.com/v1/public", "Base of Octopush's API.", _http_url),
    Setting("HOST", "127.0.0.1", "Address or name that the pages and the callbacks listen on."),
    Setting("PORT", "8000", "Port of the pages, for the LAN.", _port),
    Setting("CALLBACKS_PORT", "8001", "Port of the callbacks, for the reverse proxy.", _port),
    Setting("SANDBOX_PORT", "8002", "Port of the built-in Octopush sandbox.", _port),
    Setting("PROXIES", "0", "How many reverse proxies of ours stand before us and say who asks.", _proxies),
    Setting("WORKERS", "2", "Sending workers; replies and reports have one of their own.", _workers),
    Setting("SECRET_KEY", None, "Key of sessions and of secrets at rest; made at first start.", _secret),
    Setting("PAGES_URL", None, "Base of the pages as the team sees them, for links in e-mails.", _http_url),
    Setting("SMTP_URL", None, "Mail server for notices; no e-mail is sent when not set.", _smtp_url),
    Setting("MAIL_FROM", None, "Sender of the notices; needed with the mail server.", _address),
    Setting("TIMEZONE", "Europe/Paris", "Zone of the pages and of the provider's dates.", _zone),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


def load(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read the settings from `environ` (the process's by default) into a Flask configuration.

    Raises ConfigError for an unknown variable, an unreadable value or a contradiction.
    """
    raw = _raw_values(os.environ if environ is None else environ)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = raw.get(setting.name, setting.default)
        try:
            values[setting.name] = None if text is None else setting.read(text)
        except ValueError as error:
            raise ConfigError(
                N_("%(name)s est mal réglé : %(reason)s."), name=PREFIX + setting.name, reason=say(str(error))
            ) from error
    return complete(values)


def _raw_values(environ: Mapping[str, str]) -> dict[str, str]:
    raw: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or not value:
            continue
        name = variable.removeprefix(PREFIX)
        from_file = name.endswith("_FILE")
        name = name.removesuffix("_FILE")
        if name not in BY_NAME:
            known = ", ".join(PREFIX + setting.name for setting in SETTINGS)
            raise ConfigError(
                N_("%(name)s n’est pas un réglage de RaspiSMS. Les réglages sont : %(known)s."),
                name=variable,
                known=known,
            )
        if name in raw:
            raise ConfigError(N_("%(name)s et %(name)s_FILE sont tous deux réglés : gardez-en un."), name=PREFIX + name)
        raw[name] = _file_content(variable, value) if from_file else value
    return raw


def _file_content(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(N_("%(name)s désigne un fichier illisible : %(path)s."), name=variable, path=path) from error


def complete(values: dict[str, Any]) -> dict[str, Any]:
    """Add what follows from the settings: paths, URLs, and what Flask's extensions want to be told.

    Raises ConfigError when two settings contradict each other.
    """
    ports = [values[name] for name in ("PORT", "CALLBACKS_PORT", "SANDBOX_PORT")]
    if len(set(ports)) < len(ports):
        raise ConfigError(
            N_("RASPISMS_PORT, RASPISMS_CALLBACKS_PORT et RASPISMS_SANDBOX_PORT doivent être trois ports différents.")
        )
    if values.get("SMTP_URL") and not values.get("MAIL_FROM"):
        raise ConfigError(
            N_("RASPISMS_SMTP_URL est réglé, mais pas RASPISMS_MAIL_FROM : donnez l’adresse d’expédition.")
        )
    instance = Path(values["INSTANCE"] or default_instance()).absolute()
    host = addresses.callable_name(values["HOST"])
    local = f"http://{host}:{values['CALLBACKS_PORT']}"
    # Not as a text: a folder's name may hold whatever means something in a URL.
    database = make_url(values["DATABASE_URL"] or URL.create("sqlite", database=str(instance / "raspisms.db")))
    return values | {
        "INSTANCE": str(instance),
        "EMBEDDED_QUEUE": values["REDIS_URL"] is None,
        "REDIS_URL": values["REDIS_URL"] or f"unix://{queue_socket(instance)}",
        "PUBLIC_URL": values["PUBLIC_URL"] or local,
        "PAGES_URL": values["PAGES_URL"] or f"http://{host}:{values['PORT']}",
        "WORKSHOP": str(_socket(instance, "workshop", "workshop.sock")),
        "SANDBOX_URL": f"http://127.0.0.1:{values['SANDBOX_PORT']}/v1/public",
        "SQLALCHEMY_DATABASE_URI": database,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(database),
        "SESSION_COOKIE_NAME": "raspisms",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,  # web.access.stay_signed_in does it, by pages only
        "WTF_CSRF_TIME_LIMIT": None,  # a page left open over lunch must still send
        "MAX_CONTENT_LENGTH": 1024 * 1024,
        "BABEL_DEFAULT_LOCALE": "fr",
        "BABEL_DEFAULT_TIMEZONE": values["TIMEZONE"],
    }


def _engine_options(database: URL) -> dict[str, Any]:
    # An error's text must not carry what people wrote, nor to whom, into the log.
    options: dict[str, Any] = {"hide_parameters": True}
    if database.get_backend_name() != "sqlite":
        # The server may be restarted under us, or its machine may vanish.
        options |= {
            "pool_pre_ping": True,
            "connect_args": {
                "connect_timeout": 5,
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "tcp_user_timeout": 10_000,
            },
            # A writer must see, under its lock, what the writer before it committed.
            "isolation_level": "READ COMMITTED",
        }
    return options


def default_instance() -> Path:
    """`./instance` beside the source tree, or below the current folder when installed as a package."""
    beside = Path(__file__).resolve().parent.parent
    return (beside if (beside / "setup.py").exists() else Path.cwd()) / "instance"


def queue_socket(instance: Path) -> Path:
    """Path of the embedded queue server's socket: the same for every process of one instance."""
    return _socket(instance, "queue", "valkey.sock")


def _socket(instance: Path, folder: str, name: str) -> Path:
    short = f"raspisms-{os.getuid()}-{hashlib.sha256(os.fsencode(instance)).hexdigest()[:16]}"
    elsewhere = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108 - owner checked
    places = (instance / folder, *(place / short / folder for place in elsewhere))
    for place in places:
        path = os.fsencode(place / name)
        if len(path) <= SOCKET_PATH_LIMIT and PLAIN_PATH.fullmatch(path):
            return place / name
    return places[-1] / name
