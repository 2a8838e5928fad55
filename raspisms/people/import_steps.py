"""What an import does to contacts: applied, and undone."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ..clock import now
from ..i18n import N_
from ..models import Contact, Import, ImportLine, Verdict, group_contacts
from ..models.contact import new_version
from . import contacts, going, groups
from .import_lines import by_number, changes_consent, merged, proof_of, same_person

CHANGED_SINCE = N_("Modifié depuis l’import : laissé tel quel.")


def apply(session: Session, owner: Import, lines: list[ImportLine]) -> None:
    """Store the people of some lines; a contact that appeared or changed since the report is not trampled."""
    wanted = {line.number for line in lines if line.verdict in (Verdict.NEW, Verdict.CHANGED)}
    known = by_number(session, wanted)
    added: list[tuple[ImportLine, Contact]] = []
    for line in lines:
        if line.verdict not in (Verdict.NEW, Verdict.CHANGED):
            continue
        contact = same_person(line.name, known.get(line.number, []))
        if contact is None:
            contact = _new(owner, line)
            line.before = {"version": contact.version}  # a later line may change it already
            session.add(contact)
            known.setdefault(line.number, []).append(contact)
            added.append((line, contact))
        else:
            if contact.id is None:  # an earlier line of this chunk made it
                session.flush()
            _update(owner, contact, line)
    session.flush()
    for line, contact in added:
        line.contact_id = contact.id
        line.before = {"version": line.before["version"]} if line.before else None
    # Who was deleted a moment ago and stands in the list is wanted after all.
    going.keep(session, {line.contact_id for line in lines if line.contact_id is not None}, *going.OF_CONTACTS)
    if owner.group_id is not None:
        present = {line.contact_id: line for line in reversed(lines) if line.contact_id is not None}
        for contact_id in groups.put(session, owner.group_id, list(present)):
            present[contact_id].before = {**(present[contact_id].before or {}), "joined": True}


def _new(owner: Import, line: ImportLine) -> Contact:
    contact = Contact(origin=owner.origin, import_id=owner.id, version=new_version())
    contacts.write(contact, line.name, line.number, contacts.clean_data(line.raw["data"]))
    if proof := proof_of(line, owner):
        contact.consent, contact.consent_at = proof, _agreed_at(line)
    return contact


def _agreed_at(line: ImportLine) -> datetime:
    """The day that the file says, if it has come; today otherwise."""
    try:
        day = datetime.fromisoformat(str(line.raw.get("agreed_on") or "")).replace(tzinfo=UTC)
    except ValueError:
        return now()
    return min(day, now())


def _update(owner: Import, contact: Contact, line: ImportLine) -> None:
    name, data = merged(contact, line)
    line.contact_id = contact.id
    agreed_at = contact.consent_at.isoformat() if contact.consent_at else None
    before = {"name": contact.name, "data": contact.data, "consent": contact.consent, "agreed_at": agreed_at}
    before["was"] = contact.version
    contacts.write(contact, name, contact.number, data)
    if changes_consent(contact, line, owner):
        proof = proof_of(line, owner)
        contact.consent, contact.consent_at = proof, _agreed_at(line) if proof else None
    contact.version = new_version()
    line.before = {**before, "version": contact.version}


def undo(session: Session, owner: Import, lines: list[ImportLine]) -> None:
    """Take lines back, the last one first: each contact as it was before that line, unless somebody changed it."""
    ids = {line.contact_id for line in lines if line.before is not None and line.contact_id is not None}
    known = {contact.id: contact for contact in session.scalars(select(Contact).where(Contact.id.in_(ids)))}
    joined = [line.contact_id for line in lines if line.before and line.before.get("joined")]
    if joined and owner.group_id is not None:
        session.execute(
            delete(group_contacts).where(
                group_contacts.c.group_id == owner.group_id, group_contacts.c.contact_id.in_(joined)
            )
        )
    gone: list[int] = []
    for line in lines:
        contact = known.get(line.contact_id or 0)
        if contact is None or line.before is None or "version" not in line.before:
            continue
        if contact.version != line.before["version"]:
            line.reason = CHANGED_SINCE
        elif "data" not in line.before:
            gone.append(contact.id)
        else:
            before = line.before
            contacts.write(contact, before["name"], contact.number, before["data"])
            if contact.consent != before["consent"]:
                at = before.get("agreed_at")
                contact.consent, contact.consent_at = before["consent"], datetime.fromisoformat(at) if at else None
            contact.version = before["was"]  # what the line before it left
            line.before = None
    session.flush()
    if gone:
        session.execute(update(ImportLine).where(ImportLine.contact_id.in_(gone)).values(contact_id=None, before=None))
        session.execute(delete(group_contacts).where(group_contacts.c.contact_id.in_(gone)))
        session.execute(delete(Contact).where(Contact.id.in_(gone)))
        session.expire_all()
