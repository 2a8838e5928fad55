"""Contacts, groups and lists of people, as they are typed."""

from __future__ import annotations

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from ..models import Contact, Group
from ..people import rule_rows
from ..sms import phone_numbers as telephone_numbers

EMPTY_ROWS = 2


class ContactForm(FlaskForm):
    name = StringField(_l("Nom contact"), render_kw={"maxlength": "100", "autocomplete": "off"})
    number = StringField(
        _l("Numéro de téléphone du contact"),
        description=_l("Exemple : 06 12 34 56 78"),
        render_kw={"inputmode": "tel", "autocomplete": "off"},
    )
    consent = StringField(
        _l("Accord pour la publicité"),
        description=_l(
            "La preuve de son accord, par exemple « bulletin d’adhésion du 3 mars 2026 ». Sans elle, les campagnes "
            "publicitaires ne lui sont pas envoyées."
        ),
        render_kw={"maxlength": "500", "autocomplete": "off"},
    )
    version = HiddenField()

    def __init__(self, contact: Contact | None) -> None:
        if contact is None:
            super().__init__()
        else:
            number = telephone_numbers.pretty(contact.number)
            super().__init__(
                data={
                    "name": contact.name,
                    "number": number,
                    "consent": contact.consent,
                    "version": str(contact.version),
                }
            )
        self.contact = contact

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of the data as typed, or as stored, with empty rows to type into."""
        if self.is_submitted():
            keys, values = request.form.getlist("key"), request.form.getlist("value")
            pairs = [pair for pair in zip(keys, values, strict=False) if pair[0] or pair[1]]
        else:
            pairs = list(self.contact.data.items()) if self.contact else []
        return [*pairs, *[("", "")] * EMPTY_ROWS]

    @property
    def typed_data(self) -> dict[str, str]:
        return {key: value for key, value in self.pairs if key}

    @property
    def typed_version(self) -> str | None:
        raw = self.version.data or ""
        return raw or None

    def show_errors(self, errors: dict[str, str]) -> None:
        """Put sentences beside their fields."""
        for name, sentence in errors.items():
            self[name if name in {"name", "number"} else "number"].errors = [gettext(sentence)]


def typed_rows() -> rule_rows.Rows:
    """The rows of a rule as the page sent them."""
    lists = (request.form.getlist(name) for name in ("subject", "how", "value"))
    rows = [rule_rows.Row(*row) for row in zip(*lists, strict=False)]
    return rule_rows.Rows(rows[: 2 * rule_rows.MOST_ROWS], any_of=request.form.get("joint") == "any")


class GroupForm(FlaskForm):
    name = StringField(_l("Nom du groupe"), render_kw={"maxlength": "100", "autocomplete": "off"})
    rule = TextAreaField(
        _l("Condition"),
        description=_l("Une condition sur les données des contacts, relue à chaque envoi."),
        render_kw={"rows": "3", "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"},
    )


class ImportForm(FlaskForm):
    file = FileField(_l("Choisir le fichier"), description=_l("Excel, CSV, vCard, JSON, ou un export de RaspiSMS."))
    pasted = TextAreaField(
        _l("Ou coller une liste"),
        description=_l("Une personne par ligne : un nom et un numéro, dans l’ordre que vous voulez."),
        render_kw={"rows": "4", "spellcheck": "false"},
    )
    group = SelectField(_l("Mettre aussi dans le groupe"), coerce=int, validate_choice=False)
    origin = StringField(
        _l("D’où vient cette liste ?"),
        description=_l("Par exemple « inscriptions de septembre ». Affiché sur chaque contact."),
        render_kw={"maxlength": "200", "autocomplete": "off"},
    )
    consent = StringField(
        _l("Accord pour la publicité"),
        description=_l("La preuve que ces personnes l’ont donné ; laissez vide si elles ne l’ont pas fait."),
        render_kw={"maxlength": "500", "autocomplete": "off"},
    )

    def __init__(self, groups: list[Group]) -> None:
        super().__init__()
        plain = [SelectChoice(group.id, group.name) for group in groups if not group.is_conditional]
        self.group.choices = [SelectChoice(0, gettext("(aucun)")), *plain]
        self.group_ids = {group.id for group in groups if not group.is_conditional}

    @property
    def chosen_group(self) -> int | None:
        return self.group.data if self.group.data in self.group_ids else None
