"""The phone form, made from what an adapter declares: a new provider needs no new form or template."""

from __future__ import annotations

import dataclasses
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from ..adapters import Adapter
from ..models import Phone
from ..phones.settings import secret_names
from ..vault import Unreadable, vault

# A key that was typed into a form with an error waits in that form, sealed, for this long.
KEPT_SECONDS = 3600


class PhoneForm(FlaskForm):
    """The fields that every phone has; `phone_form` adds the adapter's."""

    name = StringField(
        _l("Nom"),
        description=_l("Un nom pour votre équipe. Vos correspondants ne le verront jamais."),
        render_kw={"maxlength": "60", "autocomplete": "off"},
    )
    pace = StringField(
        _l("Rythme des campagnes"),
        description=_l(
            "SMS par minute au plus ; vide pour ne pas limiter. Ce que vous écrivez à la main part toujours aussitôt."
        ),
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "6"},
    )
    stop_number = StringField(
        _l("Numéro court de STOP"),
        description=_l(
            "Celui que votre fournisseur donne pour les publicités, par exemple 36180 : le texte en fera "
            "« STOP au 36180 »."
        ),
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "8"},
    )
    kept = HiddenField()
    unverified = HiddenField()

    adapter: type[Adapter]
    phone: Phone | None

    def settings(self) -> dict[str, Any]:
        """What was typed for the adapter; a secret typed before an error counts as typed."""
        typed = {name: self[name].data or "" for name in _names(self.adapter)}
        kept = self._kept()
        return {name: value or kept.get(name, "") for name, value in typed.items()}

    def without_check(self) -> bool:
        """Whether the person chose to save although the provider could not be asked."""
        return bool(self.unverified.data)

    def setting_fields(self) -> list[Field]:
        """The adapter's fields, in its order."""
        return [self[name] for name in _names(self.adapter)]

    def show_errors(self, errors: dict[str, str]) -> None:
        """Put sentences beside their fields, and keep the secrets that were typed."""
        for name, sentence in errors.items():
            if name in self:
                self[name].errors = [gettext(sentence)]
        self.keep_secrets()

    def blame_credentials(self, sentence: str) -> None:
        """The provider refuses what the secret fields hold."""
        for name in secret_names(self.adapter.Settings):
            self[name].errors = [sentence]

    def keep_secrets(self) -> None:
        """Seal what was typed into the form that comes back: nothing is lost, nothing is shown."""
        secrets = {name: self.settings()[name] for name in secret_names(self.adapter.Settings)}
        typed = {name: value for name, value in secrets.items() if value}
        self.kept.data = vault().seal(typed) if typed else ""
        for name in typed:
            self[name].render_kw = {
                **(self[name].render_kw or {}),
                "placeholder": gettext("déjà saisie : laissez vide pour la garder"),
            }

    def _kept(self) -> dict[str, str]:
        try:
            kept: dict[str, str] = vault().open(self.kept.data or "", max_age=KEPT_SECONDS)
        except Unreadable:
            return {}
        return kept


def _names(adapter: type[Adapter]) -> list[str]:
    return [field.name for field in dataclasses.fields(adapter.Settings)]


def phone_form(adapter: type[Adapter], phone: Phone | None, values: dict[str, str]) -> PhoneForm:
    """A form for one adapter, filled from `phone` and its `values` (without secrets)."""
    fields = {field.name: _field(field, is_new=phone is None) for field in dataclasses.fields(adapter.Settings)}
    kind = type("AdapterPhoneForm", (PhoneForm,), fields)
    own = {"name": phone.name if phone else "", "pace": str(phone.pace) if phone and phone.pace else ""}
    own["stop_number"] = (phone.stop_number or "") if phone else ""
    form: PhoneForm = kind(data=values | own)
    form.adapter = adapter
    form.phone = phone
    return form


def _field(described: Any, *, is_new: bool) -> Field:
    metadata = described.metadata
    name, explanation = metadata["label"], metadata["help"]
    label = _l(name)
    help_text = _l(explanation) if explanation else ""
    if metadata["kind"] == "choice":
        choices = [SelectChoice(value, text) for value, text in metadata["choices"].items()]
        return SelectField(label, description=help_text, choices=choices, validate_choice=False)
    if metadata["kind"] == "secret":
        hint = {} if is_new else {"placeholder": _l("laissez vide pour garder la clé actuelle")}
        return PasswordField(label, description=help_text, render_kw={"autocomplete": "off", **hint})
    extra = {"inputmode": "tel"} if metadata["kind"] == "number" else {}
    return StringField(label, description=help_text, render_kw={"autocomplete": "off", **extra})
