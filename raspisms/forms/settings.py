"""The team's choices, and its saved texts."""

from __future__ import annotations

from typing import Any

from babel.dates import get_day_names
from flask_babel import get_locale, gettext, ngettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from ..language import Mistake, is_personal
from ..language.remote import Text
from ..messages import outgoing
from ..models import SavedText
from ..team import preferences, saved_texts
from . import mistakes

DAYS = {"class": "form-control short", "inputmode": "numeric", "autocomplete": "off"}
HOUR = {"type": "time", "class": "form-control short"}


class PreferencesForm(FlaskForm):
    region = SelectField(_l("Jours fériés de"), validate_choice=False)
    undo_seconds = SelectField(_l("Délai pour annuler une campagne"), validate_choice=False)
    undo_single = SelectField(_l("Délai pour annuler un SMS écrit à la main"), validate_choice=False)
    open_days = SelectMultipleField(_l("Jours d’ouverture"), validate_choice=False)
    opens = StringField(_l("Heures d’ouverture"), render_kw=HOUR)
    closes = StringField(_l("à"), render_kw=HOUR)
    away_text = TextAreaField(
        _l("Réponse en dehors de ces heures"),
        description=_l(
            "Envoyée une seule fois à chaque personne par fermeture, et facturée ; jamais à un numéro court, à un STOP "
            "ou à un répondeur. Vide pour ne rien répondre."
        ),
        render_kw={"rows": "2"},
    )
    countries = StringField(
        _l("Pays autorisés pour l’envoi"),
        description=_l(
            "Codes à deux lettres, par exemple FR, BE, CH ; vide pour tous. Vaut pour tous les envois : un numéro "
            "d’ailleurs est écarté, et RaspiSMS le dit."
        ),
        render_kw={"autocomplete": "off"},
    )
    landlines = BooleanField(
        _l("Envoyer aussi aux téléphones fixes"),
        description=_l(
            "Quelques opérateurs lisent le SMS à voix haute, la plupart le perdent, et il est facturé. Sans cette "
            "case, un numéro fixe est laissé de côté, et RaspiSMS le dit."
        ),
    )
    default_country = StringField(
        _l("Pays par défaut des numéros"),
        description=_l(
            "Un code à deux lettres. Un numéro sans indicatif, comme 06 12 34 56 78, est lu comme un numéro de ce pays."
        ),
        render_kw={"autocomplete": "off", "maxlength": "2", "class": "form-control short"},
    )
    preferred_countries = StringField(
        _l("Autres pays des numéros"),
        description=_l(
            "Codes à deux lettres : un numéro sans indicatif qui n’existe pas dans le pays par défaut est lu comme un "
            "numéro du premier de ces pays où il existe."
        ),
        render_kw={"autocomplete": "off"},
    )
    stop_answer = StringField(
        _l("Réponse à un STOP"),
        description=_l("Envoyée une seule fois à chaque personne, et facturée ; vide pour ne rien répondre."),
        render_kw={"autocomplete": "off"},
    )
    keep_callbacks = StringField(
        _l("Jours de conservation des callbacks bruts"),
        description=_l("Ce que le fournisseur a envoyé, tel quel. Les SMS et leurs accusés restent."),
        render_kw=DAYS,
    )
    keep_details = StringField(
        _l("Jours de conservation des détails"),
        description=_l(
            "Après la fin d’une campagne : son compte rendu, ses requêtes au fournisseur et les étapes de ses SMS. "
            "Chaque SMS, son état, sa raison et son coût restent."
        ),
        render_kw=DAYS,
    )

    def __init__(self, present: preferences.Choices) -> None:
        super().__init__(data=_as_typed(present))
        self.region.choices = [SelectChoice(code, gettext(name)) for code, name in preferences.REGIONS.items()]
        self.undo_seconds.choices = _delays(preferences.UNDO_SECONDS, gettext("Aucun : elle part aussitôt"))
        self.undo_single.choices = _delays(preferences.UNDO_SINGLE_SECONDS, gettext("Aucun : il part aussitôt"))
        days = get_day_names("wide", locale=get_locale())
        self.open_days.choices = [SelectChoice(str(day), name) for day, name in sorted(days.items())]
        self.stop_answer.render_kw = {"autocomplete": "off", "placeholder": gettext(preferences.STOP_ANSWER)}

    def choices(self) -> preferences.Choices | None:
        """What was typed; None when it cannot be, with a sentence beside each field."""
        typed = {name: self[name].data or "" for name in preferences.Choices.__dataclass_fields__}
        typed["landlines"] = "1" if self.landlines.data else ""
        try:
            return preferences.read(**typed | {"open_days": self.open_days.data or []})
        except preferences.Invalid as error:
            for name, sentence in error.errors.items():
                self[name].errors = [gettext(sentence)]
            return None


def _as_typed(present: preferences.Choices) -> dict[str, Any]:
    plain = {name: str(getattr(present, name)) for name in preferences.Choices.__dataclass_fields__}
    return plain | {
        "countries": ", ".join(present.countries),
        "preferred_countries": ", ".join(present.preferred_countries),
        "landlines": present.landlines,
        "open_days": [str(day) for day in present.open_days],
    }


def _delays(seconds: tuple[int, ...], none: str) -> list[SelectChoice]:
    named = {one: ngettext("%(num)s seconde", "%(num)s secondes", one) if one else none for one in seconds}
    return [SelectChoice(str(one), name) for one, name in named.items()]


class SavedTextForm(FlaskForm):
    name = StringField(_l("Nom"), render_kw={"maxlength": "100", "autocomplete": "off"})
    text = TextAreaField(_l("Texte du SMS"), render_kw={"rows": "5"})

    def __init__(self, saved: SavedText | None) -> None:
        super().__init__(data={"name": saved.name, "text": saved.text} if saved else {})
        self.saved_id = saved.id if saved else None

    def validate_name(self, field: Any) -> None:
        field.data = " ".join((field.data or "").replace("\0", "").split())
        if not 1 <= len(field.data) <= 100:
            raise ValidationError(gettext("Donnez un nom au modèle : 100 caractères au plus."))
        if saved_texts.is_taken(field.data, self.saved_id):
            raise ValidationError(gettext("Un autre modèle porte déjà ce nom."))

    def validate_text(self, field: Any) -> None:
        field.data = outgoing.clean(field.data or "")
        if not field.data.strip():
            raise ValidationError(gettext("Écrivez un texte."))
        if is_personal(field.data):
            try:
                Text(field.data)
            except Mistake as mistake:
                raise ValidationError(mistakes.in_text(mistake)) from mistake
