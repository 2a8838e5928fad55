"""Who of those meant gets a campaign's SMS, and why the others do not."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import select

from .. import gate
from ..extensions import db
from ..language import Mistake, is_personal
from ..language.remote import Begun, Filled, Text
from ..messages import outgoing
from ..models import Campaign, Fate, Recipient
from ..sms import segments
from ..sms.folding import fold
from .outgoing_text import outgoing_text
from .targets import Wanted

# What the gate's reasons are called in a review.
FATES: dict[gate.Reason, Fate] = {
    gate.Reason.NUMBER: Fate.INVALID,
    gate.Reason.SPECIAL: Fate.INVALID,
    gate.Reason.LANDLINE: Fate.LANDLINE,
    gate.Reason.COUNTRY: Fate.COUNTRY,
    gate.Reason.OPTED_OUT: Fate.OPTED_OUT,
    gate.Reason.SUSPECTED: Fate.SUSPECTED,
    gate.Reason.TO_CORRECT: Fate.TO_CORRECT,
    gate.Reason.NO_CONSENT: Fate.NO_CONSENT,
    gate.Reason.CHANGED: Fate.GONE,
    gate.Reason.FORGOTTEN: Fate.GONE,
    gate.Reason.EMPTY: Fate.EMPTY,
    gate.Reason.TOO_LONG: Fate.TOO_LONG,
}


class Fates:
    """Says of people what becomes of them, one after the other: who comes first gets it."""

    def __init__(self, campaign: Campaign) -> None:
        self.text = outgoing_text(campaign)
        self.personal = is_personal(self.text)
        self.template: Text | None = None
        self.mistake: Mistake | None = None
        self.parts = segments.count(self.text).parts
        self.phone = campaign.phone
        self.purpose = campaign.purpose
        rows = db.session.execute(
            select(Recipient.number, Recipient.contact_id, Recipient.name).where(
                Recipient.campaign_id == campaign.id, Recipient.fate == Fate.KEPT
            )
        )
        self.kept: dict[str, tuple[int | None, str]] = {row.number: (row.contact_id, fold(row.name)) for row in rows}
        """Who gets it already, with what an earlier job of the same run found."""
        if self.personal:
            try:
                self.template = Text(self.text)
            except Mistake as mistake:
                self.mistake = mistake

    def begin(self, chunk: list[Wanted]) -> list[Begun]:
        """Have the texts of these made, if they are personal."""
        if self.template is None:
            return []
        return [self.template.begin([(wanted.person.data, wanted.person.metas()) for wanted in chunk])]

    def rows(self, chunk: list[Wanted], begun: list[Begun]) -> list[dict[str, Any]]:
        """A row of the review for each of them, with the text that was begun."""
        refused = self._refused(chunk)
        if self.template is None:
            return [self._row(wanted, refused) for wanted in chunk]
        texts = itertools.chain.from_iterable(map(self.template.filled, begun))
        return [self._row(wanted, refused, text) for wanted, text in zip(chunk, texts, strict=True)]

    def _refused(self, chunk: list[Wanted]) -> dict[str, gate.Refusal]:
        """What the gate says against these numbers."""
        numbers = {wanted.number for wanted in chunk if wanted.number}
        return gate.may_get(db.session(), numbers, self.purpose)

    def _row(
        self,
        wanted: Wanted,
        refused: dict[str, gate.Refusal],
        text: Filled | Mistake | None = None,
    ) -> dict[str, Any]:
        person = wanted.person
        row: dict[str, Any] = {
            "number": wanted.number or person.number,
            "name": person.name,
            "text": None,
            "parts": self.parts,
            "reason": None,
            "reason_values": None,
            "missing": None,
            "contact_id": person.id,
        }
        fate = self._fate(wanted, refused)
        if fate is Fate.KEPT and self.personal:
            fate = self._fill(text or self.mistake or Mistake(""), row)
        elif fate is Fate.KEPT:
            fate = self._of_text(self.text)
        if fate is Fate.KEPT and wanted.number:
            self.kept[wanted.number] = (person.id, fold(person.name))
        return row | {"fate": fate}

    def _fate(self, wanted: Wanted, refused: dict[str, gate.Refusal]) -> Fate:
        number, person = wanted.number, wanted.person
        if wanted.is_gone:
            return Fate.GONE
        if number is None:
            return Fate.INVALID
        if number in self.kept:
            known_id, known_name = self.kept[number]
            same = person.id == known_id or not person.name or fold(person.name) == known_name
            return Fate.DUPLICATE if same else Fate.HOUSEHOLD
        refusal = refused.get(number)
        is_stated = person.id is None and bool(person.consent)  # with the list that this line is of
        if refusal is None or (refusal.reason is gate.Reason.NO_CONSENT and is_stated):
            return Fate.KEPT
        return FATES[refusal.reason]

    def _fill(self, found: Filled | Mistake, row: dict[str, Any]) -> Fate:
        if isinstance(found, Mistake):
            row["reason"] = found.sentence[:500] or None
            row["reason_values"] = {name: str(value)[:200] for name, value in found.values.items()}
            return Fate.MISTAKE
        text = outgoing.clean(found.text).strip()
        row["missing"] = ", ".join(found.missing)[:200] or None
        row["text"], row["parts"] = text, segments.count(text).parts
        return self._of_text(text)

    def _of_text(self, text: str) -> Fate:
        wrong = gate.wrong_text(self.phone, text)
        return FATES[wrong.reason] if wrong else Fate.KEPT
