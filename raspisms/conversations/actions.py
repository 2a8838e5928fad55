"""What the team does with a conversation: assign, close, tag, note."""

from __future__ import annotations

from sqlalchemy import delete, select

from .. import refusals
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..live import changes
from ..models import Conversation, ConversationTag, Note, User
from ..storage.transactions import transaction
from . import counting, threads

TAG_LENGTH = 40
TAGS = 10
NOTE_LENGTH = 2_000


class Refused(refusals.Refused):
    """It cannot be done, and nothing was; str(error) is a sentence (a msgid)."""


def assign(conversation_id: int, user_id: int | None) -> None:
    """Somebody looks after it, or nobody. Raises Refused."""
    with transaction() as session:
        conversation = session.get_one(Conversation, conversation_id)
        if user_id is not None and session.get(User, user_id) is None:
            raise Refused(N_("Cette personne ne fait plus partie de l’équipe."))
        conversation.assigned_id = user_id
        changes.remember(session, "conversations", conversation_id)


def close(conversation_id: int, seen: int) -> None:
    """It is dealt with: read, waiting for nobody. The next message opens it again.

    `seen` is the newest message that whoever closes it had before them. Raises Refused when the person wrote
    since: nobody has read that.
    """
    with transaction() as session:
        conversation = session.get_one(Conversation, conversation_id)
        if threads.has_received_since(session, conversation, seen):
            raise Refused(N_("Un SMS est arrivé entre-temps : lisez-le avant de fermer."))
        threads.read_up_to(session, conversation, seen)
        conversation.closed_at, conversation.waiting_since = now(), None
        changes.remember(session, "conversations", conversation_id)


def reopen(conversation_id: int) -> None:
    """It is not dealt with after all."""
    with transaction() as session:
        conversation = session.get_one(Conversation, conversation_id)
        conversation.closed_at = None
        counting.recount(session, conversation)


def tag(conversation_id: int, name: str) -> None:
    """Give it a word to find it by. Raises Refused."""
    name = " ".join(name.replace("\0", "").split())
    if not 1 <= len(name) <= TAG_LENGTH:
        raise Refused(N_("Une étiquette a de 1 à 40 caractères."))
    with transaction() as session:
        conversation = session.get_one(Conversation, conversation_id)
        known = {one.name for one in conversation.tags}
        if len(known) >= TAGS and name not in known:
            raise Refused(N_("Une discussion a 10 étiquettes au plus : retirez-en une."))
        if name not in known:
            session.add(ConversationTag(conversation_id=conversation_id, name=name))
        changes.remember(session, "conversations", conversation_id)
        session.flush()
        session.expire(conversation, ["tags"])


def untag(conversation_id: int, name: str) -> None:
    """Take a word off it."""
    with transaction() as session:
        session.execute(
            delete(ConversationTag).where(
                ConversationTag.conversation_id == conversation_id, ConversationTag.name == name
            )
        )
        session.expire(session.get_one(Conversation, conversation_id), ["tags"])
        changes.remember(session, "conversations", conversation_id)


def known_tags() -> list[str]:
    """Every word that conversations have."""
    return list(db.session.scalars(select(ConversationTag.name).distinct().order_by(ConversationTag.name).limit(200)))


def note(conversation_id: int, user_id: int, text: str) -> None:
    """Tell colleagues something; it is never sent. Raises Refused."""
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        raise Refused(N_("Écrivez une note."))
    if len(text) > NOTE_LENGTH:
        raise Refused(N_("Cette note est trop longue : 2 000 caractères au plus."))
    with transaction() as session:
        session.get_one(Conversation, conversation_id)
        session.add(Note(conversation_id=conversation_id, user_id=user_id, text=text))
        changes.remember(session, "conversations", conversation_id)
