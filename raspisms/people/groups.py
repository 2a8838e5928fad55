"""Groups: who is in them, one inside the other, and by rule."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, selectinload

from .. import refusals
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..language import Mistake
from ..language.mistakes import TOO_LONG
from ..language.remote import TOGETHER, Begun, Condition, ahead
from ..models import Action, Contact, Group, RemovalKind, group_contacts, group_groups
from ..sms.folding import composed
from ..storage.transactions import transaction
from ..team import audit
from . import campaign_answers, contact_list, going
from .person import Metas, Person

SHOWN_NAMES = 5
# For a hundred thousand contacts, a rule takes two; one that backtracks for each of them would take hours.
LONGEST_SECONDS = 60.0
# While somebody waits for the page; and so many pages at once.
PAGE_SECONDS = 15.0
_previews = BoundedSemaphore(3)


class Invalid(refusals.Invalid):
    """What was typed is no group."""


@dataclass
class Preview:
    """How many people a group or a rule means, and the first of them."""

    count: int = 0
    names: list[str] = field(default_factory=list)

    @property
    def others(self) -> int:
        return self.count - len(self.names)


def all_groups(*, with_children: bool = False, with_going: bool = False) -> list[Group]:
    """Every group, by name; with the groups inside of each, for a page that shows them.

    What was deleted a moment ago is none any more, but for who must not lose it in case it comes back.
    """
    query = select(Group).order_by(Group.name)
    if not with_going:
        query = query.where(Group.id.not_in(going.targets(RemovalKind.GROUP)))
    return list(db.session.scalars(query.options(selectinload(Group.children)) if with_children else query))


def sizes() -> dict[int, int]:
    """How many members each group was given by hand, without those of the groups inside of it."""
    gone = going.targets(*going.OF_CONTACTS)
    query = select(group_contacts.c.group_id, func.count()).where(group_contacts.c.contact_id.not_in(gone))
    query = query.group_by(group_contacts.c.group_id)
    return {group_id: size for group_id, size in db.session.execute(query)}


def save(
    group_id: int | None,
    name: str,
    *,
    rule: str | None = None,
    child_ids: Collection[int] = (),
    user_id: int | None = None,
) -> Group:
    """Add or change a group; `rule` makes it a conditional one. Raises Invalid; language.Mistake for the rule."""
    name = " ".join(composed(name.replace("\0", "")).split())
    errors = {}
    if not name:
        errors["name"] = N_("Donnez un nom au groupe.")
    elif len(name) > 100:
        errors["name"] = N_("Ce nom est trop long : 100 caractères au plus.")
    if rule is not None:
        rule = composed(rule)
        Condition(rule)
    with transaction() as session:
        same = session.scalar(select(Group.id).where(Group.name == name))
        if same is not None and same != group_id:
            errors["name"] = N_("Un autre groupe porte déjà ce nom.")
        if group_id is not None and group_id in descendants(child_ids):
            errors["children"] = N_("Un groupe ne peut pas se contenir lui-même, même par un autre groupe.")
        if errors:
            raise Invalid(errors)
        group = session.get_one(Group, group_id) if group_id is not None else Group()
        group.name, group.rule, group.updated_at = name, rule, now()
        group.children = list(session.scalars(select(Group).where(Group.id.in_(child_ids)))) if rule is None else []
        session.add(group)
        if group_id is None:
            audit.record(session, user_id, Action.GROUP_ADDED, name)
    return group


def remove(group_id: int, user_id: int | None = None) -> None:
    """Delete a group, if it is still there; its people stay."""
    with transaction() as session:
        if (group := session.get(Group, group_id)) is not None:
            audit.record(session, user_id, Action.GROUP_DELETED, group.name)
            session.delete(group)


def descendants(group_ids: Collection[int]) -> set[int]:
    """These groups and all that are inside of them."""
    start = select(Group.id).where(Group.id.in_(group_ids)).cte("inside", recursive=True)
    inside = start.union(select(group_groups.c.child_id).where(group_groups.c.group_id == start.c.id))
    return set(db.session.scalars(select(inside.c.id)))


def members(group_ids: Collection[int], after: int = 0, seconds: float = LONGEST_SECONDS) -> Iterator[Person]:
    """Everybody in these groups after an id, each once, by id; rules are asked now. Raises language.Mistake."""
    groups = list(db.session.scalars(select(Group).where(Group.id.in_(descendants(group_ids)))))
    rules = [Condition(group.rule) for group in groups if group.rule is not None]
    chosen = [group.id for group in groups if group.rule is None]
    inside = select(group_contacts.c.contact_id).where(group_contacts.c.group_id.in_(chosen))
    if not rules:
        yield from contact_list.everybody(and_(Contact.id.in_(inside), going.stays()), after)
        return
    chosen_ids = set(db.session.scalars(inside))
    yield from _meant(contact_list.everybody(going.stays(), after), rules, chosen_ids, seconds)


def preview(group_id: int) -> Preview:
    """Who is in a group at this moment."""
    with _one_of_few():
        return _preview(members([group_id], seconds=PAGE_SECONDS))


def preview_rule(source: str) -> Preview:
    """Whom a rule means at this moment. Raises language.Mistake."""
    with _one_of_few():
        return _preview(_meant(contact_list.everybody(going.stays()), [Condition(source)], set(), PAGE_SECONDS))


@contextmanager
def _one_of_few() -> Iterator[None]:
    """Pages have few threads: rules that take long must not have them all. Raises language.Mistake."""
    if not _previews.acquire(timeout=PAGE_SECONDS / 2):
        raise Mistake(TOO_LONG)
    try:
        yield
    finally:
        _previews.release()


def _meant(people: Iterator[Person], rules: list[Condition], chosen_ids: set[int], seconds: float) -> Iterator[Person]:
    """Those of these people who were chosen, or whom a rule means.

    Raises language.Mistake, also when it takes so long that no page can wait for it.
    """
    ends = time.monotonic() + seconds
    campaigns = {asked for rule in rules for asked in campaign_answers.asked_by(rule.source)}

    def begin(some: list[Person]) -> list[Begun]:
        if time.monotonic() > ends:
            raise Mistake(TOO_LONG)
        said = campaign_answers.answers(campaigns, [person.number for person in some]) if campaigns else {}
        asked = [(person.data, _known(person, said)) for person in some]
        return [rule.begin(asked) for rule in rules]

    for some, begun in ahead(_chunks(people), begin):
        try:
            answers = [list(rule.held(one)) for rule, one in zip(rules, begun, strict=True)]
        finally:
            for one in begun:  # where one was a mistake, the others are given up
                one.asked.close()
        for place, person in enumerate(some):
            if person.id in chosen_ids or any(answer[place] for answer in answers):
                yield person


def _known(person: Person, said: dict[str, dict[str, str]]) -> Mapping[str, Any]:
    """What RaspiSMS knows of somebody, with their answers to the campaigns that are asked for."""
    known = Metas(person)
    known.update(said.get(person.number, {}))
    return known


def _chunks(people: Iterator[Person]) -> Iterator[list[Person]]:
    while some := list(islice(people, TOGETHER)):
        yield some


def _preview(people: Iterator[Person]) -> Preview:
    found = Preview()
    for person in people:
        found.count += 1
        if len(found.names) < SHOWN_NAMES:
            found.names.append(person.name or person.number)
    return found


def broken(group: Group) -> Mistake | None:
    """What is wrong with the rule of a group, if anything is."""
    if group.rule is None:
        return None
    try:
        Condition(group.rule)
    except Mistake as mistake:
        return mistake
    return None


def own_among(group_id: int, contact_ids: Collection[int]) -> set[int]:
    """Those of these contacts who were put into the group itself, and not into one inside of it."""
    query = select(group_contacts.c.contact_id).where(group_contacts.c.group_id == group_id)
    return set(db.session.scalars(query.where(group_contacts.c.contact_id.in_(contact_ids))))


def put(session: Session, group_id: int, contact_ids: Collection[int]) -> list[int]:
    """Put contacts into a group: those that were not there. Call inside a transaction."""
    query = select(group_contacts.c.contact_id).where(
        group_contacts.c.group_id == group_id, group_contacts.c.contact_id.in_(contact_ids)
    )
    there = set(session.scalars(query))
    new = [one for one in dict.fromkeys(contact_ids) if one not in there]
    if new:
        session.execute(group_contacts.insert(), [{"group_id": group_id, "contact_id": one} for one in new])
    return new


def member_ids(group_id: int) -> list[int]:
    """Every contact that is in a group now, by whatever rule. Raises language.Mistake."""
    return [person.id for person in members([group_id]) if person.id is not None]
