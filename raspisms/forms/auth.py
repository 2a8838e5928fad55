"""Signing in, and the first administrator."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import EqualTo, InputRequired


def new_password(label: Any) -> PasswordField:
    """Where somebody chooses a password."""
    return PasswordField(
        label,
        description=_l("Au moins 10 caractères. Une phrase convient très bien."),
        validators=[InputRequired(_l("Choisissez un mot de passe d’au moins 10 caractères."))],
        render_kw={"autocomplete": "new-password", "minlength": "10"},
    )


def repeated_password() -> PasswordField:
    """The same as the field `password`, typed again."""
    return PasswordField(
        _l("Le même mot de passe, encore une fois"),
        validators=[EqualTo("password", _l("Les deux mots de passe sont différents."))],
        render_kw={"autocomplete": "new-password"},
    )


class LoginForm(FlaskForm):
    email = EmailField(
        _l("Adresse e-mail"),
        validators=[InputRequired(_l("Écrivez votre adresse e-mail."))],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        _l("Mot de passe"),
        validators=[InputRequired(_l("Écrivez votre mot de passe."))],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(FlaskForm):
    password = new_password(_l("Mot de passe"))
    repeated = repeated_password()


class InvitationForm(FlaskForm):
    email = EmailField(
        _l("Adresse e-mail"),
        validators=[InputRequired(_l("Écrivez l’adresse e-mail de votre collègue."))],
        render_kw={"autocomplete": "off"},
    )
    role = SelectField(
        _l("Rôle"),
        validate_choice=False,
        choices=[SelectChoice("member", _l("Membre")), SelectChoice("admin", _l("Administrateur"))],
    )


class SetupForm(FlaskForm):
    email = EmailField(
        _l("Adresse e-mail"),
        validators=[InputRequired(_l("Écrivez votre adresse e-mail."))],
        render_kw={"autocomplete": "username"},
    )
    password = new_password(_l("Mot de passe"))
    repeated = repeated_password()
