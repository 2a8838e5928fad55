"""One line of a list that comes in, compared with who is there: new, known, to correct."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..i18n import N_
from ..models import Contact, Import, ImportLine, Verdict
from ..sms import phone_numbers as telephone_numbers
from ..sms.folding import composed, fold
from . import contacts

NO_NUMBER = N_("Il n’y a pas de numéro sur cette ligne.")
NOT_A_NUMBER = N_("Ce n’est pas un numéro de téléphone : corrigez-le.")
REPAIRED = N_("Numéro abîmé par un tableur, réparé : vérifiez-le.")
CUT_NAME = N_("Nom raccourci à 100 caractères.")
TWICE = N_("Déjà sur une ligne précédente de ce fichier.")
AS_IS = N_("Déjà dans les contacts, à l’identique.")
TOO_MUCH_DATA = N_("Plus de 100 données sur cette ligne.")


def compare(session: Session, owner: Import, lines: list[ImportLine]) -> None:
    """Say of each line what it is."""
    for line in lines:
        _read(line, line.raw["number"], line.raw["name"])
    wanted = {line.number for line in lines if line.number}
    known = _by_number(session, wanted)
    before = _earlier_lines(session, owner.id, wanted, lines[0].id)
    for line in lines:
        if line.verdict is not Verdict.REFUSED:
            _judge(line, known.get(line.number, []), before, consents=bool(owner.consent))


def _read(line: ImportLine, number: str, name: str) -> None:
    """Its name and number, as they would be stored."""
    line.reason, line.repaired, line.verdict = None, False, Verdict.UNREAD
    line.name = " ".join(composed(name.replace("\0", "")).split())
    if len(line.name) > contacts.NAME_LENGTH:
        line.name, line.reason = line.name[: contacts.NAME_LENGTH].strip(), CUT_NAME
    found, repaired = telephone_numbers.read(number)
    line.number = found or ""
    if repaired:
        line.repaired, line.reason = True, REPAIRED
    if found is None:
        line.verdict = Verdict.REFUSED
        line.reason = NOT_A_NUMBER if number.strip() else NO_NUMBER
    elif len(line.raw["data"]) > contacts.MOST_DATA:
        line.verdict, line.reason = Verdict.REFUSED, TOO_MUCH_DATA


def _by_number(session: Session, wanted: set[str]) -> dict[str, list[Contact]]:
    known: dict[str, list[Contact]] = {}
    for contact in session.scalars(select(Contact).where(Contact.number.in_(wanted)).order_by(Contact.id)):
        known.setdefault(contact.number, []).append(contact)
    return known


def _earlier_lines(session: Session, import_id: int, wanted: set[str], before_id: int) -> set[tuple[str, str]]:
    """Number and folded name of what the same file said before."""
    rows = session.execute(
        select(ImportLine.number, ImportLine.name).where(
            ImportLine.import_id == import_id, ImportLine.number.in_(wanted), ImportLine.id < before_id
        )
    )
    return {(number, fold(name)) for number, name in rows}


def _judge(
    line: ImportLine, same_number: list[Contact], before: set[tuple[str, str]], *, consents: bool = False
) -> None:
    key = (line.number, fold(line.name))
    if key in before or (not line.name and any(number == line.number for number, _ in before)):
        line.verdict, line.reason = Verdict.DUPLICATE, TWICE
        return
    before.add(key)
    contact = _same_person(line.name, same_number)
    if contact is None:
        line.verdict, line.contact_id = Verdict.NEW, None
        return
    line.contact_id = contact.id
    agrees = consents and not contact.consent
    if _merged(contact, line) == (contact.name, contact.data) and not agrees:
        line.verdict, line.reason = Verdict.DUPLICATE, AS_IS
    else:
        line.verdict = Verdict.UPDATED


def _same_person(name: str, same_number: list[Contact]) -> Contact | None:
    """The contact that a line speaks of: same number and same name, or one of them without a name."""
    for contact in same_number:
        if fold(contact.name) == fold(name):
            return contact
    for contact in same_number:
        if not name or not contact.name:
            return contact
    return None


def _merged(contact: Contact, line: ImportLine) -> tuple[str, dict[str, Any]]:
    """Name and data after the line: what it says wins, what it does not say stays."""
    return contact.name or line.name, {**contact.data, **contacts.clean_data(line.raw["data"])}
