"""A person's own settings."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import EqualTo, InputRequired


class LocaleForm(FlaskForm):
    locale = RadioField(_l("Langue"), choices=[SelectChoice("fr", "Français"), SelectChoice("en", "English")])


class PasswordForm(FlaskForm):
    current = PasswordField(
        _l("Mot de passe actuel"),
        validators=[InputRequired(_l("Écrivez votre mot de passe."))],
        render_kw={"autocomplete": "current-password"},
    )
    password = PasswordField(
        _l("Nouveau mot de passe"),
        description=_l("Au moins 10 caractères. Une phrase convient très bien."),
        validators=[InputRequired(_l("Choisissez un mot de passe d’au moins 10 caractères."))],
        render_kw={"autocomplete": "new-password", "minlength": "10"},
    )
    repeated = PasswordField(
        _l("Le même mot de passe, encore une fois"),
        validators=[EqualTo("password", _l("Les deux mots de passe sont différents."))],
        render_kw={"autocomplete": "new-password"},
    )
