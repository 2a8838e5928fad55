"""Writing an SMS to one or several numbers."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from ..models import Message, Phone
from ..phones.settings import adapter_class
from ..texts import numbers as telephone_numbers

# One screen of numbers; more people than this are a campaign.
MANY = 500


class ComposeForm(FlaskForm):
    phone = SelectField(_l("Numéro à employer"), coerce=int, validate_choice=False)
    to = TextAreaField(
        _l("Numéros cibles"),
        description=_l("Un numéro par ligne, ou séparés par des virgules. Exemple : 06 12 34 56 78"),
        render_kw={"rows": "2", "inputmode": "tel", "autocomplete": "off"},
    )
    text = TextAreaField(_l("Texte du SMS"), render_kw={"rows": "5"})
    key = HiddenField()
    """Made with the page: the same page posted twice sends once."""

    def __init__(self, phones: list[Phone], answered: Message | None, again: Message | None = None) -> None:
        super().__init__()
        self.phones = {phone.id: phone for phone in phones}
        self.phone.choices = [SelectChoice(phone.id, _described(phone)) for phone in phones]
        self.numbers: list[str] = []
        linked = answered or again
        if linked and not self.is_submitted():
            self.to.data = telephone_numbers.pretty(linked.number)
            self.phone.data = linked.phone_id
            self.text.data = again.text if again else ""

    @property
    def chosen_phone(self) -> Phone:
        """The phone that was chosen; only after validation."""
        return self.phones[self.phone.data]

    def validate_phone(self, field: Any) -> None:
        if field.data not in self.phones:
            raise ValidationError(gettext("Choisissez un de vos téléphones."))

    def validate_to(self, field: Any) -> None:
        """Every number is read, and every wrong one is named."""
        wanted = telephone_numbers.split(field.data or "")
        wrong = [raw for raw in wanted if not telephone_numbers.is_number(raw)]
        if not wanted:
            raise ValidationError(gettext("Écrivez au moins un numéro."))
        if wrong:
            raise ValidationError(
                ngettext(
                    "Ce n’est pas un numéro de téléphone : %(numbers)s. Corrigez-le ou retirez-le.",
                    "Ce ne sont pas des numéros de téléphone : %(numbers)s. Corrigez-les ou retirez-les.",
                    len(wrong),
                    numbers=", ".join(f"« {raw} »" for raw in wrong),
                )
            )
        self.numbers = list(dict.fromkeys(telephone_numbers.parse(raw) for raw in wanted))
        if len(self.numbers) > MANY:
            raise ValidationError(gettext("Il y a %(count)s numéros : 500 au plus à la fois.", count=len(self.numbers)))

    def validate_text(self, field: Any) -> None:
        text = (field.data or "").replace("\r\n", "\n")
        if not text.strip():
            raise ValidationError(gettext("Écrivez un texte."))
        phone = self.phones.get(self.phone.data)
        limit = adapter_class(phone.adapter).max_text if phone else len(text)
        if len(text) > limit:
            raise ValidationError(
                gettext(
                    "Ce texte fait %(count)s caractères : %(limit)s au plus. Raccourcissez-le.",
                    count=len(text),
                    limit=limit,
                )
            )


def _described(phone: Phone) -> str:
    return f"{phone.name} ({telephone_numbers.pretty(phone.number)})"
