"""People: adding them, and checking who they are."""

from __future__ import annotations

import functools
import secrets

from email_validator import EmailNotValidError, validate_email
from pwdlib import PasswordHash
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from .. import refusals
from ..extensions import db
from ..i18n import N_
from ..models import Action, Mailing, Role, User
from ..storage.transactions import transaction
from ..vault import Unreadable, Vault, vault
from . import audit

PASSWORD_LENGTH = 10
PASSWORD_LIMIT = 256
# How long the link of an invitation can be used.
LINK_SECONDS = 7 * 24 * 3600


class Refused(refusals.Refused):
    """The account cannot be made so."""


@functools.cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@functools.cache
def _nobodys_hash() -> str:
    """What an unknown address is compared with, so that it takes as long as a known one."""
    return _hasher().hash("nobody")


def clean_email(email: str) -> str:
    """An address in the form it is stored in. Raises Refused."""
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise Refused(
            N_("Cette adresse e-mail n’est pas valable : vérifiez-la, par exemple lea@exemple.fr."), "email"
        ) from error


def check_password(password: str) -> None:
    """Raises Refused for a password that is too easy or too long."""
    if len(password) < PASSWORD_LENGTH:
        raise Refused(N_("Choisissez un mot de passe d’au moins 10 caractères."), "password")
    if len(password) > PASSWORD_LIMIT:
        raise Refused(N_("Ce mot de passe est trop long : 256 caractères au plus."), "password")


def add(
    email: str,
    password: str,
    role: Role,
    *,
    only_if_first: bool = False,
    locale: str = "fr",
    user_id: int | None = None,
) -> User:
    """Add a person. With `only_if_first`, only when nobody is there yet, and they sign in by that. Raises Refused."""
    email = clean_email(email)
    check_password(password)
    user = User(email=email, password_hash=_hasher().hash(password), role=role, locale=locale)
    try:
        with transaction() as session:
            if only_if_first and not is_new_installation():
                raise Refused(N_("Cette installation a déjà son administrateur : connectez-vous."), "email")
            session.add(user)
            session.flush()
            audit.record(session, user_id, Action.PERSON_ADDED, user.id)
            if only_if_first:
                audit.record(session, user.id, Action.SIGNED_IN)
    except IntegrityError as error:
        raise Refused(N_("Quelqu’un se connecte déjà avec cette adresse."), "email") from error
    return user


def invite(email: str, role: Role, *, user_id: int | None = None) -> User:
    """Add a person who chooses their password by their link. Raises Refused."""
    return add(email, secrets.token_urlsafe(32), role, user_id=user_id)


def link_token(user: User) -> str:
    """What a person's link holds: good for a week, and until they choose a password."""
    return vault().seal({"user": user.id, "password": _mark(user)})


def of_link(token: str) -> User | None:
    """Whose link this is; None for one that is too old, was used, or is none."""
    try:
        held = vault().open(token, LINK_SECONDS)
    except Unreadable:
        return None
    user = db.session.get(User, held["user"]) if isinstance(held, dict) and "user" in held else None
    return user if user is not None and held.get("password") == _mark(user) else None


def _mark(user: User) -> str:
    """What a new password changes."""
    return vault().digest(user.password_hash, "link")[:16]


def sign_in(email: str, password: str) -> User | None:
    """The person with this address and password, as `authenticate`; the attempt is kept."""
    user = authenticate(email, password)
    with transaction() as session:
        if user is None:
            audit.record(session, None, Action.SIGN_IN_REFUSED)
        else:
            audit.record(session, user.id, Action.SIGNED_IN)
    return user


def authenticate(email: str, password: str) -> User | None:
    """The person with this address and password; the same time is taken whoever asks."""
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    known = _hasher().verify(password[:PASSWORD_LIMIT], user.password_hash if user else _nobodys_hash())
    return user if known and user else None


def change_password(user_id: int, password: str) -> User:
    """Give a person a new password, and sign them out everywhere else. Raises Refused."""
    check_password(password)
    with transaction() as session:
        user = session.get_one(User, user_id)
        user.password_hash = _hasher().hash(password)
        user.session_id = secrets.token_hex(16)
        audit.record(session, user_id, Action.PASSWORD_CHANGED)
        return user


def allow(email: str, *, may_delete: bool, user_id: int | None = None) -> None:
    """Say whether a person may delete what is the team's. Raises Refused."""
    with transaction() as session:
        user = session.scalar(select(User).where(User.email == clean_email(email)))
        if user is None:
            raise Refused(N_("Personne ne se connecte avec cette adresse."), "email")
        user.may_delete = may_delete
        audit.record(session, user_id, Action.RIGHTS_CHANGED, user.id)


def choose_locale(user_id: int, locale: str) -> None:
    """The language in which a person reads pages and e-mails."""
    with transaction() as session:
        session.get_one(User, user_id).locale = locale


def choose_mail(user_id: int, received: str, *, digest: bool) -> None:
    """Which e-mails a person wants."""
    with transaction() as session:
        user = session.get_one(User, user_id)
        user.mail_received = Mailing(received) if received in {one.value for one in Mailing} else Mailing.NEVER
        user.mail_digest = digest


def end_tour(user_id: int) -> None:
    """A person knows the first steps by now."""
    with transaction() as session:
        session.get_one(User, user_id).toured = True


def is_new_installation() -> bool:
    """Whether nobody can sign in yet."""
    return db.session.scalar(select(func.count()).select_from(User)) == 0


def first_admin_token(keys: Vault | None = None) -> str:
    """The secret of the link that creates the first administrator; of no use once there is one."""
    return (keys or vault()).digest("first administrator", purpose="setup")


def colleagues() -> list[User]:
    """Everybody of the team, by address."""
    return list(db.session.scalars(select(User).order_by(User.email)))
