"""The tables, one noun per file."""

from .account import Account
from .campaign import Campaign, CampaignState
from .heartbeat import Heartbeat
from .journal import JournalEntry, JournalState
from .message import Direction, Lane, Message, MessageEvent, Status
from .opt_out import OptOut
from .parked_report import ParkedReport
from .phone import Phone, PhoneStatus
from .submission import Submission, SubmissionState
from .user import Role, User

__all__ = [
    "Account",
    "Campaign",
    "CampaignState",
    "Direction",
    "Heartbeat",
    "JournalEntry",
    "JournalState",
    "Lane",
    "Message",
    "MessageEvent",
    "OptOut",
    "ParkedReport",
    "Phone",
    "PhoneStatus",
    "Role",
    "Status",
    "Submission",
    "SubmissionState",
    "User",
]
