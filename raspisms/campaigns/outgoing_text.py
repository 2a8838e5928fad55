"""What a campaign's text becomes for one person, and what it must say by law."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from .. import gate
from ..language import is_personal
from ..language.remote import Filled, Text
from ..models import Campaign, Phone
from ..people.person import Person
from ..sms import segments
from ..sms.purposes import Purpose
from ..sms.segments import Segments
from .targets import Wanted


def filled(text: str, person: Person | None) -> Filled:
    """The text for one person. Raises language.Mistake."""
    if not is_personal(text):
        return Filled(text, [])
    if person is None:
        Text(text)
        return Filled(text, [])
    found = Text(text).fill(person.data, person.metas())
    return Filled(found.text.strip(), found.missing)


def counted(text: str) -> Segments:
    """The parts of a text."""
    return segments.count(text)


def nth(wanted: Iterator[Wanted], position: int) -> Wanted | None:
    """The n-th of the people, or the last one before it."""
    found = None
    for one in itertools.islice(wanted, position + 1):
        found = one
    return found


def outgoing_text(campaign: Campaign) -> str:
    """The text as it leaves, as the review showed it: an advertisement ends with how to stop it."""
    return outgoing_now(campaign) if campaign.outgoing is None else campaign.outgoing


def outgoing_now(campaign: Campaign) -> str:
    """The same, as its phone says it at this moment."""
    return with_mention(campaign.text, campaign.purpose, campaign.phone)


def with_mention(text: str, purpose: Purpose, phone: Phone | None) -> str:
    """The text with "STOP au 36180" where that is due, counted and paid for like the rest; not twice."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    due = gate.lacks_mention(text, purpose) and text.strip()
    if not due or phone is None or not phone.stop_number:
        return text
    return f"{text.rstrip()}\nSTOP au {phone.stop_number}"
