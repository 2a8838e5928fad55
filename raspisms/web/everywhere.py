"""One search for people, what was said, campaigns, groups and saved texts: a few of each."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select

from ..campaigns import progress
from ..conversations import lists
from ..extensions import db
from ..messages import search
from ..models import Campaign, Contact, Conversation, Group, Message, RemovalKind, SavedText
from ..people import contact_list, going, groups
from ..sms.folding import fold

FEW = 6


@dataclass(frozen=True)
class Found:
    """What a search came upon."""

    people: list[Contact]
    conversations: dict[str, int]
    """Of the numbers of these people: the conversation to go on with."""
    said: list[Message]
    names: dict[str, str]
    """Of the numbers of these messages."""
    noted: list[lists.Hit]
    campaigns: list[Campaign]
    groups: list[Group]
    texts: list[SavedText]

    @property
    def is_empty(self) -> bool:
        return not (self.people or self.said or self.noted or self.campaigns or self.groups or self.texts)


def everywhere(words: str) -> Found:
    """What has these words, the newest first; nothing for no words."""
    if not words.strip():
        return Found([], {}, [], {}, [], [], [], [])
    which = and_(contact_list.matching(contact_list.spaceless(words)), going.stays())
    people = contact_list.page(which, None, FEW).rows
    ids = search.ids(words, limit=FEW)
    stays = Message.id.in_(ids), Message.id.not_in(going.targets(RemovalKind.RECEIVED))
    said = list(db.session.scalars(select(Message).where(*stays).order_by(Message.id.desc())))
    campaigns = select(Campaign).where(progress.containing(words)).order_by(Campaign.id.desc()).limit(FEW)
    wanted = fold(words)
    kept_texts = SavedText.id.not_in(going.targets(RemovalKind.TEXT))
    texts = db.session.scalars(select(SavedText).where(kept_texts).order_by(SavedText.name))
    return Found(
        people,
        _conversations([one.number for one in people]),
        said,
        contact_list.names_of([message.number for message in said]),
        lists.noted(words)[:FEW],
        list(db.session.scalars(campaigns)),
        [one for one in groups.all_groups() if wanted in fold(one.name)][:FEW],
        [one for one in texts if wanted in fold(f"{one.name} {one.text}")][:FEW],
    )


def _conversations(numbers: list[str]) -> dict[str, int]:
    query = select(Conversation.number, Conversation.id).where(Conversation.number.in_(numbers))
    return {number: found for number, found in db.session.execute(query.order_by(Conversation.last_at))}
