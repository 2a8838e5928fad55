"""What every provider's adapter offers, and the words in which it answers.

Errors are named by what the caller has to do next, since that is what decides whether a person gets a
message never, once or twice.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from ..sms.purposes import Purpose

# -- settings ---------------------------------------------------------------------------------------


def setting(
    label: str,
    *,
    help: str = "",
    kind: str = "text",
    choices: Mapping[str, str] | None = None,
    default: str | None = None,
) -> Any:
    """A field of an adapter's Settings, with all that a form needs to draw it.

    `kind` is text, secret (written, never read back), number (a telephone number) or choice.
    """
    metadata = {"label": label, "help": help, "kind": kind, "choices": dict(choices or {})}
    return field(metadata=metadata) if default is None else field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """What a person fills in for one phone; each adapter has its own."""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Settings:
        """Settings from stored values; what this version does not know is left out."""
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


# -- what is sent, and the answers ------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """One text for one or more recipients: one request."""

    text: str
    recipients: tuple[str, ...]
    """E.164, each once."""
    purpose: Purpose
    request_id: str


@dataclass(frozen=True)
class Accepted:
    """The provider has the batch."""

    provider_id: str | None
    """None when it says that it had taken the same request_id before."""
    cost: Decimal | None = None
    """Euros, for the whole batch."""
    parts: int | None = None
    credit: Decimal | None = None
    """Euros left on the account."""
    words: str = ""
    code: str = ""
    taken: int | None = None
    """How many recipients it says that it took, where it says so."""
    taken_before: bool = False
    """It had taken the same request_id before."""

    @property
    def was_taken_before(self) -> bool:
        """Whether an earlier attempt is what was taken."""
        return self.taken_before or self.provider_id is None


class AdapterError(Exception):
    """The batch is not known to be accepted. `reason` is a sentence for people (a msgid)."""

    def __init__(
        self,
        reason: str,
        *,
        words: str = "",
        code: str = "",
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.words = words[:500]
        self.code = code[:16]
        self.http_status = http_status
        self.retry_after = retry_after
        """Seconds that the provider asks us to wait."""


class TemporaryError(AdapterError):
    """Surely not sent: worth another try later."""


class AmbiguousError(AdapterError):
    """Perhaps sent: only the same request_id may be tried again."""


class UnreadableAnswer(AmbiguousError):
    """A success by its HTTP status, without anything that proves it."""


class RefusedError(AdapterError):
    """Surely not sent, and trying again cannot help."""

    def __init__(self, reason: str, *, one_number: bool = False, bad_number: bool = False, **details: Any) -> None:
        super().__init__(reason, **details)
        self.one_number = one_number
        """One recipient may be the cause: the others deserve a request of their own."""
        self.bad_number = bad_number
        """For one recipient: the number itself is wrong, and no SMS will ever arrive there."""


class PauseKind(StrEnum):
    """Why a phone pauses."""

    CREDENTIALS = "credentials"
    BLOCKED = "blocked"
    CREDIT = "credit"


class AccountError(AdapterError):
    """Surely not sent, and nothing can be until somebody mends the account: the phone pauses."""

    def __init__(self, kind: PauseKind, reason: str, **details: Any) -> None:
        super().__init__(reason, **details)
        self.kind = kind


@dataclass(frozen=True)
class Check:
    """A passed check: the credentials are right."""

    balance: Decimal | None
    """Euros."""
    warning: str | None = None
    """Something that deserves attention all the same: a sentence (a msgid)."""


# -- what callbacks bring ---------------------------------------------------------------------------


class Outcome(StrEnum):
    """What a report says, whoever says it."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Report:
    """What a provider says about one sent message."""

    provider_id: str
    number: str
    outcome: Outcome
    words: str
    """The provider's own status word."""
    reason: str | None
    """A sentence for people (a msgid)."""
    at: datetime | None
    opted_out: bool = False
    """The provider refuses this number because it said STOP."""
    bad_number: bool = False
    """The number itself is wrong: it is to be corrected before anything more is sent."""


@dataclass(frozen=True)
class Reply:
    """A message from a person."""

    number: str
    text: str
    received_by: str
    """Our number that it was sent to, when the provider says so."""
    provider_id: str
    """The request that it answers, when the provider found one."""
    at: datetime | None


@dataclass(frozen=True)
class OptOutNotice:
    """The provider tells us that a number said STOP."""

    number: str
    text: str
    at: datetime | None


@dataclass(frozen=True)
class Ignored:
    """Readable, and of no use to us."""


@dataclass(frozen=True)
class Unreadable:
    """One of several that cannot be understood: the others are applied, a person looks at this one."""

    reason: str
    """For a person who knows programs; never a text or a number."""


Item = Report | Reply | OptOutNotice | Ignored | Unreadable


class UnreadableCallback(Exception):
    """The body of a callback is nothing that the provider is known to send."""


@dataclass(frozen=True)
class Callback:
    """A callback as it came."""

    body: bytes
    content_type: str
    query: str
    """The query string, still encoded."""
    timezone: ZoneInfo
    """How to read dates without a zone."""


class Adapter(ABC):
    """Speaks to one kind of provider, for one phone. Knows neither Flask nor the database."""

    key: ClassVar[str]
    """Stored with each phone: never changed once released."""
    label: ClassVar[str]
    """The provider's name in the list "Adaptateur logiciel du téléphone"."""
    is_training: ClassVar[bool] = False
    """Nothing leaves for real: not offered to people, and never chosen for them."""
    endpoint: ClassVar[str]
    """Name of the setting that holds the API's base URL."""
    advice: ClassVar[str] = ""
    """What a person should know before choosing it (a msgid)."""
    guide: ClassVar[tuple[str, ...]] = ()
    """How to come by a number and its settings, step by step (msgids)."""
    support_email: ClassVar[str] = ""
    """Whom to send the callback URLs to."""
    provider: ClassVar[str]
    """The company's name."""
    supports_flash: ClassVar[bool] = False
    max_recipients: ClassVar[int] = 1
    """In one request."""
    max_text: ClassVar[int] = 1000
    """Characters."""
    purposes: ClassVar[Mapping[Purpose, str]] = {}
    """What the provider calls our purposes."""
    repeat_window: ClassVar[timedelta | None] = None
    """For how long a repeated request_id is refused by the provider; None where it has no such key."""
    Settings: ClassVar[type[Settings]]

    def __init__(self, settings: Any, base_url: str) -> None:
        self.settings = settings
        self.base_url = base_url

    @property
    @abstractmethod
    def number(self) -> str:
        """The phone's own number, E.164."""

    @property
    @abstractmethod
    def account(self) -> str:
        """What identifies the account at the provider: its requests leave one at a time."""

    @abstractmethod
    def submit(self, batch: Batch) -> Accepted:
        """Hand a batch over. Raises one of the AdapterErrors; nothing else."""

    @abstractmethod
    def check(self) -> Check:
        """Ask whether the credentials are right.

        Raises AccountError (refused), TemporaryError (cannot be reached), AmbiguousError (strange answer).
        """

    @classmethod
    @abstractmethod
    def read_callback(cls, callback: Callback) -> list[Item]:
        """What a callback says, item by item. Raises UnreadableCallback."""
