"""A person's own settings."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from .auth import new_password, repeated_password


class LocaleForm(FlaskForm):
    locale = RadioField(_l("Langue"), choices=[SelectChoice("fr", "Français"), SelectChoice("en", "English")])


class PasswordForm(FlaskForm):
    current = PasswordField(
        _l("Mot de passe actuel"),
        validators=[InputRequired(_l("Écrivez votre mot de passe."))],
        render_kw={"autocomplete": "current-password"},
    )
    password = new_password(_l("Nouveau mot de passe"))
    repeated = repeated_password()
