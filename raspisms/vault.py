"""The installation's secret, and what is made from it: sealed values and keyed digests.

The secret is one text (`RASPISMS_SECRET_KEY`, or `secret.key` in the instance folder). It may have several
lines: the first one seals, all of them open, which is how a key is replaced without losing anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import Flask, current_app

TOKEN_BYTES = 32
# Characters of a secret; a file with fewer is damaged.
SHORTEST = 32


class Unreadable(Exception):
    """A sealed value was made with another secret, or is too old."""


class BadSecret(Exception):
    """The installation's secret cannot be read, or is none; `path` is its file."""

    def __init__(self, path: Path) -> None:
        super().__init__("the secret is empty or unreadable")
        self.path = path


class Vault:
    """Seals and opens values, and makes digests, with keys derived from the installation's secret."""

    def __init__(self, secret: str) -> None:
        lines = [line.strip() for line in secret.splitlines() if line.strip()]
        self._secrets = [line.encode() for line in lines]
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, "vault"))) for key in self._secrets])

    def seal(self, value: Any) -> str:
        """Encrypt anything that JSON can hold."""
        return self._fernet.encrypt(json.dumps(value).encode()).decode()

    def open(self, sealed: str, max_age: int | None = None) -> Any:
        """Give back what was sealed, at most `max_age` seconds ago. Raises Unreadable."""
        try:
            return json.loads(self._fernet.decrypt(sealed.encode(), ttl=max_age))
        except (InvalidToken, UnicodeEncodeError) as error:
            raise Unreadable("this value was sealed with another secret, or too long ago") from error

    def digest(self, token: str, purpose: str = "token") -> str:
        """A keyed digest, under which a secret token is found without being stored in clear."""
        return hmac.new(_derive(self._secrets[-1], purpose), token.encode(), hashlib.sha256).hexdigest()

    def session_key(self) -> str:
        """The key that Flask signs its cookies with."""
        return _derive(self._secrets[0], "session").hex()


def _derive(secret: bytes, purpose: str) -> bytes:
    return hmac.new(secret, f"raspisms/{purpose}".encode(), hashlib.sha256).digest()


def new_token() -> str:
    """A random token of 32 bytes, fit for a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def vault() -> Vault:
    """The current application's vault."""
    found: Vault = current_app.extensions["vault"]
    return found


def init_app(app: Flask) -> None:
    """Give the application its vault and its session key, making the secret at the first start."""
    app.extensions["vault"] = _of(app.config)
    app.config["NAMESPACE"] = namespace(app.config)
    app.config["SECRET_KEY"] = app.extensions["vault"].session_key()


def namespace(settings: Mapping[str, Any]) -> str:
    """What tells this installation's names from others' where they share a queue server.

    Made from the secret: all machines of an installation have it, and no other installation has.
    """
    return _of(settings).digest("queue server", "namespace")[:12]


def _of(settings: Mapping[str, Any]) -> Vault:
    return Vault(settings["SECRET_KEY"] or read_or_make(Path(settings["INSTANCE"]) / "secret.key"))


def read_or_make(path: Path) -> str:
    """The secret in `path`, made there for the owner's eyes only when there is none yet. Raises BadSecret.

    Two processes may start at the same time: the file appears whole, and the first one wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        secret = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSecret(path) from error
    if len(secret.strip()) < SHORTEST or "\0" in secret:
        raise BadSecret(path)
    return secret
