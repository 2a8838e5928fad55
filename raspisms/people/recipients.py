"""Whom somebody means by the name that they typed where a number could stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import and_, select

from ..extensions import db
from ..i18n import N_
from ..models import Contact, Group
from ..sms import phone_numbers
from ..sms.folding import fold
from . import contact_list, going, groups

NAMED = 5
UNCLEAR = N_("« %(name)s » peut être : %(names)s. Précisez.")
NOBODY = N_("« %(name)s » n’est pas dans vos contacts : ajoutez d’abord cette personne.")


@dataclass(frozen=True)
class Meant:
    """A contact or a group; neither when nobody, or more than one, has that name."""

    contact: Contact | None = None
    group: Group | None = None
    is_exact: bool = True
    """Whether that is the whole name; else a part of it, that no other name has."""
    candidates: list[str] = field(default_factory=list)
    """Those who may be meant, in words that tell them apart."""


def meant(words: str, *, exact: bool = False) -> Meant:
    """The one contact or group of this name, or, unless it must be `exact`, the only one that a search for it finds.

    With a digit in it, it must be the whole name: a number with a mistake in it is nobody's.
    """
    wanted = fold(words)
    named_so = [group for group in groups.all_groups() if wanted in fold(group.name)]
    named = select(Contact).where(Contact.sort_key == wanted[:100], going.stays()).limit(NAMED)
    found = _one_of(list(db.session.scalars(named)), [group for group in named_so if fold(group.name) == wanted])
    if found is None and not exact and not any(character.isdigit() for character in words):
        which = and_(contact_list.matching(words), going.stays())
        found = _one_of(contact_list.page(which, None, NAMED).rows, named_so)
        return replace(found, is_exact=False) if found else Meant()
    return found or Meant()


def _one_of(people: list[Contact], groups: list[Group]) -> Meant | None:
    if len(people) + len(groups) == 1:
        return Meant(contact=next(iter(people), None), group=next(iter(groups), None))
    return Meant(candidates=_told_apart(people, groups)) if people or groups else None


def _told_apart(people: list[Contact], groups: list[Group]) -> list[str]:
    some = [f"{one.name} ({phone_numbers.pretty(one.number)})" for one in people[:NAMED]]
    return some + [group.name for group in groups[:NAMED]]


@dataclass(frozen=True)
class NotFound:
    """A name or a number that is no one contact's."""

    sentence: str
    values: dict[str, str]


def contacts_named(text: str) -> tuple[list[int], list[NotFound]]:
    """The contacts of some names and numbers, one a line or separated by commas, and what is nobody's."""
    found: list[int] = []
    wrong: list[NotFound] = []
    for piece in phone_numbers.split(text):
        if phone_numbers.is_number(piece):
            number = phone_numbers.parse(piece)
            ids = list(db.session.scalars(select(Contact.id).where(Contact.number == number, going.stays())))
        else:
            one = meant(piece)
            if one.contact is not None and not one.is_exact:
                wrong.append(NotFound(UNCLEAR, {"name": piece, "names": one.contact.name}))
                continue
            if one.candidates:
                wrong.append(NotFound(UNCLEAR, {"name": piece, "names": ", ".join(one.candidates)}))
                continue
            ids = [one.contact.id] if one.contact is not None else []
        found += ids
        if not ids:
            wrong.append(NotFound(NOBODY, {"name": piece}))
    return found, wrong
