"""The tables, one noun per file."""

from .account import Account
from .audit import Action, AuditEntry
from .campaign import Campaign, CampaignState, Hours, Trial
from .contact import Contact
from .contact_import import Import, ImportLine, ImportPiece, ImportState, Verdict
from .conversation import Conversation, ConversationTag, Note, ReplyDraft
from .day_figures import CountedDay, DayCost, DayFigures
from .group import Group, group_contacts, group_groups
from .heartbeat import Heartbeat
from .journal import JournalEntry, JournalState
from .message import Answer, Direction, Lane, Message, MessageEvent, Status, StopMark
from .notice import Notice, NoticeKind
from .opt_out import OptOut
from .parked_report import ParkedReport
from .phone import Phone, PhoneStatus
from .preference import Preference
from .push_subscription import PushSubscription
from .recipient import Fate, Recipient
from .removal import Removal, RemovalKind, RemovalTarget
from .restoration import Decision, Restoration
from .saved_text import SavedText
from .submission import EarlierAttempt, Submission, SubmissionState
from .user import Mailing, Role, User

__all__ = [
    "Account",
    "Action",
    "Answer",
    "AuditEntry",
    "Campaign",
    "CampaignState",
    "Contact",
    "Conversation",
    "ConversationTag",
    "CountedDay",
    "DayCost",
    "DayFigures",
    "Decision",
    "Direction",
    "EarlierAttempt",
    "Fate",
    "Group",
    "Heartbeat",
    "Hours",
    "Import",
    "ImportLine",
    "ImportPiece",
    "ImportState",
    "JournalEntry",
    "JournalState",
    "Lane",
    "Mailing",
    "Message",
    "MessageEvent",
    "Note",
    "Notice",
    "NoticeKind",
    "OptOut",
    "ParkedReport",
    "Phone",
    "PhoneStatus",
    "Preference",
    "PushSubscription",
    "Recipient",
    "Removal",
    "RemovalKind",
    "RemovalTarget",
    "ReplyDraft",
    "Restoration",
    "Role",
    "SavedText",
    "Status",
    "StopMark",
    "Submission",
    "SubmissionState",
    "Trial",
    "User",
    "Verdict",
    "group_contacts",
    "group_groups",
]
