"""What the team does with a conversation: assign, close, tag, note, begin an answer."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .. import live
from ..database import now, transaction
from ..extensions import db
from ..models import Conversation, ConversationTag, Note, ReplyDraft, User
from ..words import N_
from . import threads

TAG_LENGTH = 40
TAGS = 10
NOTE_LENGTH = 2_000
DRAFT_LENGTH = 5_000


class Refused(ValueError):
    """It cannot be done, and nothing was; str(error) is a sentence (a msgid)."""


def assign(conversation_id: int, user_id: int | None) -> None:
    """Somebody looks after it, or nobody. Raises Refused."""
    with transaction() as session:
        conversation = session.get_one(Conversation, conversation_id)
        if user_id is not None and session.get(User, user_id) is None:
            raise Refused(N_("Cette personne ne fait plus partie de l’équipe."))
        conversation.assigned_id = user_id
        live.changed(session, "conversations", conversation_id)


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
        live.changed(session, "conversations", conversation_id)


def reopen(conversation_id: int) -> None:
    """It is not dealt with after all."""
    with transaction() as session:
        conversation = session.get_one(Conversation, conversation_id)
        conversation.closed_at = None
        threads.recount(session, conversation)


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
        live.changed(session, "conversations", conversation_id)
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
        live.changed(session, "conversations", conversation_id)


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
        live.changed(session, "conversations", conversation_id)


def draft_of(conversation_id: int, user_id: int) -> str:
    """What somebody began to write there."""
    return (
        db.session.scalar(
            select(ReplyDraft.text).where(ReplyDraft.conversation_id == conversation_id, ReplyDraft.user_id == user_id)
        )
        or ""
    )


def keep_draft(conversation_id: int, user_id: int, text: str, key: str = "") -> bool:
    """Keep what somebody began to write in the form with this key.

    False when that form was sent meanwhile: a draft that comes late must not bring back what has left.
    """
    text = text.replace("\r\n", "\n").replace("\0", "")[:DRAFT_LENGTH]
    with transaction() as session:
        kept = _draft(session, conversation_id, user_id)
        if key and kept.sent_key == key:
            return False
        kept.text, kept.updated_at = text, now()
        return True


def sent(conversation_id: int, user_id: int, key: str) -> None:
    """The form with this key was sent: nothing is left of its draft."""
    with transaction() as session:
        kept = _draft(session, conversation_id, user_id)
        kept.text, kept.sent_key, kept.updated_at = "", key[:40], now()


def give_back(conversation_id: int, user_id: int, text: str) -> None:
    """A text that was called back is a draft again, above whatever was begun since."""
    with transaction() as session:
        kept = _draft(session, conversation_id, user_id)
        begun = kept.text.strip()
        kept.text = text if not begun or begun == text.strip() else f"{text}\n\n{kept.text}"
        kept.updated_at = now()


def _draft(session: Session, conversation_id: int, user_id: int) -> ReplyDraft:
    session.get_one(Conversation, conversation_id)
    kept = session.get(ReplyDraft, (conversation_id, user_id))
    if kept is None:
        kept = ReplyDraft(conversation_id=conversation_id, user_id=user_id, text="", sent_key="")
        session.add(kept)
    return kept
