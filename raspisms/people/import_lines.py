"""One line of a list that comes in, compared with who is there: new, known, to correct."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..i18n import N_
from ..models import Contact, Import, ImportLine, Verdict
from ..sms import phone_numbers as telephone_numbers
from ..sms.folding import composed, fold
from ..sms.numbers_in_text import has_another, mobiles, numbers_in
from ..sms.phone_numbers import Kind
from ..team import preferences
from . import contacts
from .reading.lines import TWO_MOBILES

NO_NUMBER = N_("Il n’y a pas de numéro sur cette ligne.")
NOT_A_NUMBER = N_("Ce n’est pas un numéro de téléphone : corrigez-le.")
LOST_DIGITS = N_(
    "Le tableur n’a gardé que les premiers chiffres : mettez la colonne au format texte, puis exportez de nouveau."
)
# Why a right number is left out.
NO_SMS: dict[Kind, str] = {
    Kind.LANDLINE: N_("Un numéro fixe ne reçoit pas de SMS."),
    Kind.BOX: N_("Un numéro de box (09) ne reçoit pas de SMS."),
    Kind.FREE: N_("Un numéro vert ne reçoit pas de SMS."),
    Kind.PREMIUM: N_("Un numéro surtaxé ne reçoit pas de SMS."),
    Kind.SHORT: N_("Un numéro court ne reçoit pas de SMS."),
    Kind.SPECIAL: N_("Ce numéro est celui d’un service : personne n’y lit de SMS."),
}
REPAIRED = N_("Numéro abîmé par un tableur, réparé : vérifiez-le.")
CUT_NAME = N_("Nom raccourci à 100 caractères.")
TWICE = N_("Déjà sur une ligne précédente de ce fichier.")
AS_IS = N_("Déjà dans les contacts, à l’identique.")
TOO_MUCH_DATA = N_("Plus de 100 données sur cette ligne.")


def compare(session: Session, owner: Import, lines: list[ImportLine]) -> None:
    """Say of each line what it is."""
    landlines = preferences.current().landlines
    for line in lines:
        read(line, line.raw["number"], line.raw["name"], landlines=landlines)
    wanted = {line.number for line in lines if line.number}
    known = by_number(session, wanted)
    before = _earlier_lines(session, owner.id, wanted, lines[0].id)
    for line in lines:
        if line.verdict is Verdict.UNREAD:
            judge(line, known.get(line.number, []), before, owner)


def read(line: ImportLine, number: str, name: str, *, landlines: bool) -> None:
    """Its name and number, as they would be stored; a verdict where nothing is to be compared."""
    line.reason, line.repaired, line.verdict = None, False, Verdict.UNREAD
    line.name = " ".join(composed(name.replace("\0", "")).split())
    if len(line.name) > contacts.NAME_LENGTH:
        line.name, line.reason = line.name[: contacts.NAME_LENGTH].strip(), CUT_NAME
    found, repaired = telephone_numbers.read(number)
    line.number = found or ""
    if repaired:
        line.repaired, line.reason = True, REPAIRED
    if found is None:
        _wrong(line, number)
    elif len(line.raw["data"]) > contacts.MOST_DATA:
        line.verdict, line.reason = Verdict.WRONG, TOO_MUCH_DATA
    elif not telephone_numbers.is_french_mobile(found):  # nearly all are
        kind = telephone_numbers.kind(found)
        if not telephone_numbers.gets_sms(kind, landlines=landlines):
            line.verdict, line.reason = Verdict.LEFT_OUT, NO_SMS[kind]


def _wrong(line: ImportLine, number: str) -> None:
    """What is the matter with a number that is none."""
    line.verdict = Verdict.WRONG
    if telephone_numbers.is_short(number):
        line.verdict, line.reason = Verdict.LEFT_OUT, NO_SMS[Kind.SHORT]
    elif not number.strip():
        line.reason = NO_NUMBER
    elif len(mobiles(found := numbers_in(number))) > 1 or has_another(number, found):
        line.reason = TWO_MOBILES
    else:
        line.reason = LOST_DIGITS if telephone_numbers.EXPONENT.fullmatch(number.strip()) else NOT_A_NUMBER


def by_number(session: Session, wanted: set[str]) -> dict[str, list[Contact]]:
    """Contacts with these numbers, the oldest first."""
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


def judge(line: ImportLine, same_number: list[Contact], before: set[tuple[str, str]], owner: Import) -> None:
    """Whether somebody with this number and name is new, known, changed, or on the list twice."""
    key = (line.number, fold(line.name))
    if key in before or (not line.name and any(number == line.number for number, _ in before)):
        line.verdict, line.reason = Verdict.DOUBLE, TWICE
        return
    before.add(key)
    contact = same_person(line.name, same_number)
    if contact is None:
        line.verdict, line.contact_id = Verdict.NEW, None
        return
    line.contact_id = contact.id
    if merged(contact, line) == (contact.name, contact.data) and not changes_consent(contact, line, owner):
        line.verdict, line.reason = Verdict.KNOWN, AS_IS
    else:
        line.verdict = Verdict.CHANGED


def proof_of(line: ImportLine, owner: Import) -> str:
    """The proof that this person agreed to advertising: the file's own column before what was said of all of it."""
    if "agreed" not in line.raw:
        return owner.consent
    return f"{owner.name}, {line.raw['proof']}"[:500] if line.raw["agreed"] else ""


def changes_consent(contact: Contact, line: ImportLine, owner: Import) -> bool:
    """Whether the line says of consent what the contact does not: a yes that is new, or a no."""
    if line.raw.get("agreed") is False:
        return bool(contact.consent)
    return bool(proof_of(line, owner)) and not contact.consent


def same_person(name: str, same_number: list[Contact]) -> Contact | None:
    """The contact that a line speaks of: same number and same name, or one of them without a name."""
    for contact in same_number:
        if fold(contact.name) == fold(name):
            return contact
    for contact in same_number:
        if not name or not contact.name:
            return contact
    return None


def merged(contact: Contact, line: ImportLine) -> tuple[str, dict[str, Any]]:
    """Name and data after the line: what it says wins, what it does not say stays. "Ville" and "ville" are one."""
    known = {fold(key): key for key in contact.data}
    said = {known.get(fold(key), key): value for key, value in contacts.clean_data(line.raw["data"]).items()}
    return contact.name or line.name, {**contact.data, **said}
