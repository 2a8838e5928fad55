"""Writing an SMS: two lines to one person, or a campaign to thousands, on one page."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from sqlalchemy import select
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from ..adapters import purpose_called
from ..campaigns.drafts import Wish
from ..campaigns.targets import Targets
from ..extensions import db
from ..gate import MENTION
from ..language import Mistake, is_personal
from ..language.remote import Text
from ..messages import hours, outgoing
from ..models import Campaign, Contact, Hours, Message, Phone
from ..people import files, going, groups, reading, recipients
from ..phones.settings import adapter_class
from ..sms import phone_numbers as telephone_numbers
from ..sms.purposes import Purpose
from . import mistakes
from .drafts import of_draft
from .moments import moment

# More people than this are a campaign: a review shows who they are, and what it costs.
MANY = 1
# What, once filled, needs a review first: the page has them from here, see compose.js.
CAMPAIGN_FIELDS = ("starts_at", "hours", "repeats", "trial")
CAMPAIGN_CHOICES = ("groups", "import_id", "as_campaign", "file")
MOST_TRIED = 1000
NAMED_CONTACTS = 20
PARTED = re.compile(r"[\t;,|]")


class ComposeForm(FlaskForm):
    phone = SelectField(_l("Numéro à employer"), coerce=int, validate_choice=False)
    to = TextAreaField(
        _l("À qui"),
        description=_l("Un nom, un groupe, un numéro, ou plusieurs ; ou une liste copiée dans un tableur."),
        render_kw={"rows": "1", "autocomplete": "off", "spellcheck": "false"},
    )
    file = FileField(
        _l("Fichier de destinataires"), description=_l("Excel ou CSV : une colonne de numéros, et des données.")
    )
    text = TextAreaField(_l("Texte du SMS"), render_kw={"rows": "5"})
    name = StringField(_l("Nom de la campagne"), render_kw={"maxlength": "120", "autocomplete": "off"})
    purpose = RadioField(
        _l("Ce SMS est"),
        choices=[
            SelectChoice(Purpose.INFORMATION.value, _l("une information (rendez-vous, alerte, vie de l’association…)")),
            SelectChoice(Purpose.ADVERTISING.value, _l("une publicité (offre, vente, appel aux dons…)")),
        ],
        validate_choice=False,
    )
    consent = StringField(
        _l("Accord pour la publicité"),
        description=_l("Pour les numéros saisis et le fichier : la preuve que ces personnes l’ont donné."),
        render_kw={"maxlength": "500", "autocomplete": "off"},
    )
    hours = SelectField(_l("Heures d’envoi"), validate_choice=False)
    starts_at = StringField(
        _l("Date d’envoi du SMS"), description=_l("Vide : maintenant."), render_kw={"type": "datetime-local"}
    )
    expires_at = StringField(
        _l("Inutile après"),
        description=_l("Ce qui n’est pas parti à cette heure-là ne part plus."),
        render_kw={"type": "datetime-local"},
    )
    repeats = SelectField(_l("Répéter"), validate_choice=False)
    trial = StringField(
        _l("Essayer d’abord sur"),
        name="canary",  # of a page too that has been open since before it was called so
        description=_l(
            "Un nombre de personnes. La campagne attend leurs accusés, puis continue ou s’arrête toute seule."
        ),
        render_kw={"inputmode": "numeric", "maxlength": "4", "autocomplete": "off"},
    )
    tag = StringField(_l("Tag"), render_kw={"maxlength": "255", "autocomplete": "off"})
    as_campaign = BooleanField()
    key = HiddenField()
    """Made with the page: the same page posted twice sends once."""

    def __init__(
        self,
        phones: list[Phone],
        answered: Message | None = None,
        again: Message | None = None,
        draft: Campaign | None = None,
    ) -> None:
        super().__init__(data=of_draft(draft))
        self.phones = {phone.id: phone for phone in phones}
        choices = [SelectChoice(phone.id, _described(phone)) for phone in phones]
        # "Any" is any of those that send for real: where one does, nobody practises by accident.
        real = [phone for phone in phones if not phone.is_training]
        self.may_choose_any = len(real or phones) > 1
        if self.may_choose_any:
            choices.append(SelectChoice(0, gettext("N’importe lequel")))
        self.phone.choices = choices
        self.hours.choices = [
            SelectChoice("", gettext("Celles qui conviennent à ce SMS")),
            SelectChoice("strict", gettext("8 h à 20 h, du lundi au samedi, hors jours fériés")),
            SelectChoice("af2m", gettext("8 h à 21 h 30, du lundi au samedi, hors jours fériés (AF2M 2026)")),
            SelectChoice("free", gettext("À toute heure")),
        ]
        self.repeats.choices = [
            SelectChoice("", gettext("Non")),
            SelectChoice("daily", gettext("Chaque jour")),
            SelectChoice("weekly", gettext("Chaque semaine")),
            SelectChoice("monthly", gettext("Chaque mois")),
        ]
        self.draft = draft
        self.numbers: list[str] = []
        self.unread = ""
        """What was typed and is neither a number nor somebody's name; kept with a draft."""
        self.unclear: list[str] = []
        self.guessed: list[str] = []
        """Whom a part of a name was taken for: a person looks before anything leaves."""
        self.is_being_written = False
        """Whether somebody is still typing: half a name is nobody's yet."""
        self.lines: list[reading.Line] = []
        """A pasted table, or more numbers than a hand types."""
        self.file_lines: list[reading.Line] = []
        stored = Targets.of(draft.targets) if draft else Targets()
        submitted = self.is_submitted()
        # A form has a thousand fields at most: of many contacts, the first have one each, the rest one together.
        named = _ids([*request.form.getlist("contacts"), *request.form.get("rest", "").split(",")])
        self.contact_ids = list(dict.fromkeys(named)) if submitted else stored.contacts
        self.group_ids = _ids(request.form.getlist("groups")) if submitted else stored.groups
        lists = _ids([request.form.get("import_id", "")]) if submitted else [stored.import_id or 0]
        self.import_id = next(iter(lists), 0) or None
        self.file_name = request.form.get("file_name", "")[:200] if submitted else stored.file_name
        if submitted:
            self.purpose.data = purpose_called(self.purpose.data)
        linked = answered or again
        if linked and not submitted:
            self.to.data = telephone_numbers.pretty(linked.number)
            self.phone.data = linked.phone_id
            self.text.data = again.text if again else ""

    @property
    def is_campaign(self) -> bool:
        """Whether this needs a review first, rather than to leave at once."""
        return bool(
            self.draft is not None
            or self.as_campaign.data
            or self.lines
            or self.file_lines
            or self.import_id
            or self.group_ids
            or any(self[name].data for name in CAMPAIGN_FIELDS)
            or self.purpose.data == Purpose.ADVERTISING
            or len(self.contact_ids) > MANY  # two people may share a number: each has a text of their own
            or len(self.people) > MANY
            or is_personal(self.text.data or "")
        )

    @property
    def people(self) -> list[str]:
        """The numbers of everybody who was typed or chosen one by one, each once; only after validation."""
        some = select(Contact.number).where(Contact.id.in_(self.contact_ids), going.stays())
        return list(dict.fromkeys([*self.numbers, *db.session.scalars(some)]))

    @property
    def agreement(self) -> dict[str, str | int]:
        """What browser and server must agree on: they have it from one place."""
        return {
            "fields": " ".join(self[name].name for name in CAMPAIGN_FIELDS),  # as the page calls them
            "choices": " ".join(CAMPAIGN_CHOICES),
            "advertising": Purpose.ADVERTISING.value,
            "people": MANY,
            "mention": MENTION.pattern,
            "plan": json.dumps(telephone_numbers.plan()),
            "home": telephone_numbers.home_code(),
        }

    @property
    def chosen_phone(self) -> Phone | None:
        """The phone that was chosen, None for any; only after validation."""
        return self.phones.get(self.phone.data)

    @property
    def expiry(self) -> datetime | None:
        return moment(self.expires_at.data)

    def chosen(self, import_id: int | None) -> Targets:
        """Whom the form means."""
        typed: list[dict[str, Any]] = [line.as_dict() for line in self.lines]
        return Targets(
            numbers=typed or [{"number": number} for number in self.numbers],
            contacts=self.contact_ids,
            groups=self.group_ids,
            import_id=import_id,
            file_name=self.file_name if import_id else "",
            unread=self.unread,
            is_purpose_chosen=bool(self.purpose.data),
            consent=(self.consent.data or "").strip(),
        )

    def wish(self, import_id: int | None) -> Wish:
        """What the form says, for a draft; only after validation."""
        purpose = Purpose(self.purpose.data or Purpose.INFORMATION)
        return Wish(
            phone_id=self.phone.data or None,
            text=outgoing.clean(self.text.data or ""),
            targets=self.chosen(import_id),
            purpose=purpose,
            name=self.name.data or "",
            tag=self.tag.data or "",
            starts_at=moment(self.starts_at.data),
            expires_at=self.expiry,
            hours=Hours(self.hours.data) if self.hours.data else hours.usual(purpose),
            trial=int(self.trial.data) if self.trial.data else None,
            repeats=self.repeats.data or None,
        )

    def drop(self, chip: str) -> None:
        """Take somebody out, without a script: "contacts:5", "rest", "groups:2", "file"."""
        kind, _, raw = chip.partition(":")
        if kind == "contacts":
            self.contact_ids = [one for one in self.contact_ids if str(one) != raw]
        elif kind == "rest":
            self.contact_ids = self.contact_ids[:NAMED_CONTACTS]
        elif kind == "groups":
            self.group_ids = [one for one in self.group_ids if str(one) != raw]
        elif kind == "file":
            self.import_id, self.file_name = None, ""

    def forget_mistakes(self) -> None:
        """Leave out what could not be read, so that the rest can be kept; a text is kept as it is."""
        for name in ("phone", "purpose", "hours", "starts_at", "expires_at", "repeats", "trial"):
            if name in self.errors:
                self[name].data = None

    # -- validation ---------------------------------------------------------------------------------------

    def validate_phone(self, field: Any) -> None:
        if field.data not in self.phones and not (field.data == 0 and self.may_choose_any):
            raise ValidationError(gettext("Choisissez un de vos téléphones."))

    def validate_to(self, field: Any) -> None:
        """Every number is read, every name is that of a contact or a group; a table is read as one."""
        raw = field.data or ""
        self._drop_gone_groups()
        wanted = telephone_numbers.split(raw)
        names = [piece for piece in wanted if not telephone_numbers.is_number(piece)]
        if names:
            self.lines = _table(raw)
        if self.lines:
            return
        unknown = [piece for piece in names if not self._choose(piece)]
        if not wanted and not (self.contact_ids or self.group_ids or self.import_id or self.file.data):
            raise ValidationError(gettext("Écrivez au moins un nom, un groupe ou un numéro."))
        numbers = [piece for piece in wanted if piece not in names]
        self.numbers = list(dict.fromkeys(telephone_numbers.parse(piece) for piece in numbers))
        if len(unknown) < len(names):  # who was found stands beside the field by now
            field.data = "\n".join([*(telephone_numbers.pretty(number) for number in self.numbers), *unknown])
        self.unread = "\n".join(unknown)
        if unknown:
            raise ValidationError(" ".join([*self.unclear, *_nobody(unknown, self.unclear)]))
        if self.guessed:
            raise ValidationError(
                gettext("Est-ce bien : %(names)s ? Vérifiez, puis continuez.", names=", ".join(self.guessed))
            )

    def _drop_gone_groups(self) -> None:
        """A chip whose group was deleted meanwhile goes with a word, never in silence. Raises ValidationError."""
        known = {group.id for group in groups.all_groups(with_going=self.is_being_written)}
        there = [one for one in self.group_ids if one in known]
        if len(there) < len(self.group_ids):
            self.group_ids = there
            raise ValidationError(gettext("Un groupe choisi n’existe plus : vérifiez à qui vous écrivez."))

    def _choose(self, piece: str) -> bool:
        """Take the contact or the group of this name; whether there is just one."""
        found = recipients.meant(piece, exact=self.is_being_written)
        if not found.is_exact and (found.contact or found.group):
            self.guessed.append((found.contact or found.group).name)  # type: ignore[union-attr]
        if found.contact is not None and found.contact.id not in self.contact_ids:
            self.contact_ids.append(found.contact.id)
        if found.group is not None and found.group.id not in self.group_ids:
            self.group_ids.append(found.group.id)
        if found.candidates:
            names = ", ".join(found.candidates)
            self.unclear.append(gettext("« %(name)s » peut être : %(names)s. Précisez.", name=piece, names=names))
        return found.contact is not None or found.group is not None

    def read_file(self) -> None:
        """Read a chosen file on a page that is not sent yet; what is wrong with it stands beside it."""
        try:
            self.validate_file(self.file)
        except ValidationError as error:
            self.file.errors = [str(error)]

    def validate_file(self, field: Any) -> None:
        if not field.data or not field.data.filename:
            return
        try:
            self.file_lines = files.read(field.data.read()).lines
        except reading.Unreadable as error:
            sentence = gettext(str(error))
            if error.line:
                sentence = gettext("Ligne %(line)s : %(sentence)s", line=error.line, sentence=sentence)
            raise ValidationError(sentence) from error
        self.file_name = field.data.filename[:200]

    def validate_text(self, field: Any) -> None:
        text = (field.data or "").replace("\r\n", "\n")
        if not text.strip():
            raise ValidationError(gettext("Écrivez un texte."))
        if is_personal(text):
            try:
                Text(text)
            except Mistake as mistake:
                raise ValidationError(mistakes.in_text(mistake)) from mistake
            return
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

    def validate_starts_at(self, field: Any) -> None:
        _check_moment(field)

    def validate_expires_at(self, field: Any) -> None:
        _check_moment(field)

    def validate_trial(self, field: Any) -> None:
        raw = (field.data or "").strip()
        field.data = raw
        if raw and not (raw.isascii() and raw.isdecimal() and 1 <= int(raw[:9]) <= MOST_TRIED):
            raise ValidationError(gettext("Écrivez un nombre de 1 à 1000, ou rien."))

    def validate_purpose(self, field: Any) -> None:
        if field.data is None and self.is_campaign:
            raise ValidationError(gettext("Dites si c’est une information ou une publicité : la loi les distingue."))

    def validate_hours(self, field: Any) -> None:
        if field.data not in {"", None, *Hours}:
            raise ValidationError(gettext("Choisissez dans la liste."))

    def validate_repeats(self, field: Any) -> None:
        if field.data not in {"", None, "daily", "weekly", "monthly"}:
            raise ValidationError(gettext("Choisissez dans la liste."))


def _ids(raw: list[str]) -> list[int]:
    """The ids among what a form holds; what no database could count to is none."""
    return [int(one) for one in raw if one.isascii() and one.isdecimal() and len(one) < 10]


def _nobody(unknown: list[str], unclear: list[str]) -> list[str]:
    """A sentence for what is neither a number nor a name that we know."""
    wrong = [piece for piece in unknown if not any(f"« {piece} »" in said.replace("\xa0", " ") for said in unclear)]
    if not wrong:
        return []
    return [
        ngettext(
            "Ce n’est ni un numéro de téléphone, ni un contact, ni un groupe : %(numbers)s. Corrigez-le ou retirez-le.",
            "Ce ne sont ni des numéros de téléphone, ni des contacts, ni des groupes : %(numbers)s. "
            "Corrigez-les ou retirez-les.",
            len(wrong),
            numbers=", ".join(f"« {piece} »" for piece in wrong[:10]),
        )
    ]


def _table(raw: str) -> list[reading.Line]:
    """The lines of a pasted table, which has a line of titles; none when it is not one.

    A name above a number is no title: titles and what stands below them have something that parts their columns.
    """
    title, _, below = raw.strip().partition("\n")
    if not (PARTED.search(title) and PARTED.search(below)) or _is_somebody(title):
        return []
    try:
        lines = files.read_text(raw).lines
    except reading.Unreadable:
        return []
    return lines if lines[0].line > 1 and any(line.data or line.name for line in lines) else []


def _is_somebody(title: str) -> bool:
    """Whether a line names people or groups that we know, or has a number in it: titles do neither."""
    return any(
        telephone_numbers.is_number(piece) or recipients.meant(piece, exact=True) != recipients.Meant()
        for piece in telephone_numbers.split(title)
    )


def _check_moment(field: Any) -> None:
    if field.data and moment(field.data) is None:
        raise ValidationError(gettext("Écrivez une date et une heure, par exemple 24/12/2026 18:30."))


def _described(phone: Phone) -> str:
    return f"{phone.name} ({telephone_numbers.pretty(phone.number)})"
