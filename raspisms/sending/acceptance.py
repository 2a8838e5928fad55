"""Accepting a campaign: a hundred thousand recipients in one call, in bounded memory and short transactions."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import insert

from ..campaigns import lifecycle
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..machine import processes
from ..messages.history import first_events, last_message
from ..models import Campaign, CampaignState, Direction, Lane, Message, Phone, Status
from ..models.message import batch_key
from ..people import opt_outs
from ..sms import phone_numbers as telephone_numbers
from ..sms import segments
from ..storage.stride import Stride
from ..storage.transactions import StorageUnavailable, bulk_step, transaction
from .outbox import Refused, check_expiry, clean_text

# What is begun with; how far the next transactions go depends on the time that they take.
CHUNK = 500
NAME_LENGTH = 120
# How long a database that takes nothing is tried again, beyond its own patience.
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.5
T = TypeVar("T")


@dataclass(frozen=True)
class Refusal:
    """A line that makes no message."""

    line: int
    value: str


@dataclass(frozen=True)
class Repair:
    """A line whose number was damaged and could be read all the same."""

    line: int
    value: str
    number: str


@dataclass
class Report:
    """What became of every line."""

    campaign_id: int
    accepted: int = 0
    repaired: list[Repair] = field(default_factory=list)
    invalid: list[Refusal] = field(default_factory=list)
    duplicates: list[Refusal] = field(default_factory=list)
    opted_out: list[Refusal] = field(default_factory=list)


class NoRecipient(Refused):
    """Nobody is left to send to, and there is no campaign; `report` says why, line by line."""

    def __init__(self, report: Report) -> None:
        super().__init__(N_("Aucun destinataire dans cette liste : aucune campagne n’a été créée."))
        self.report = report


def post_campaign(
    phone: Phone,
    lines: Iterable[tuple[int, str]],
    text: str,
    *,
    name: str = "",
    user_id: int | None = None,
    purpose: str = "alert",
    expires_at: datetime | None = None,
) -> Report:
    """Accept one text for the numbers of many lines (line number, what is written there), then let it leave.

    Nothing leaves before every line was read; an interrupted acceptance is cancelled as a whole.
    Raises campaigns.Refused when it was cancelled in the meantime.
    What has not left by `expires_at` does not leave any more. Raises TextRefused, TooLate, NoRecipient,
    StorageUnavailable.
    """
    text = clean_text(text, phone)
    check_expiry(expires_at)
    row: dict[str, Any] = {
        "phone_id": phone.id,
        "user_id": user_id,
        "text": text,
        "purpose": purpose,
        "expires_at": expires_at,
    }
    report = Report(_open(row, " ".join((name or text).split())[:NAME_LENGTH]))
    row |= {
        "direction": Direction.OUT,
        "status": Status.QUEUED,
        "lane": Lane.BULK,
        "batch_key": batch_key(text, purpose, expires_at),
        "parts": segments.count(text).parts,
        "campaign_id": report.campaign_id,
    }
    try:
        _accept(_new_numbers(lines, report), row, report)
    except NoRecipient:
        _patiently(functools.partial(lifecycle.forget, report.campaign_id))
        raise
    except BaseException:
        with suppress(StorageUnavailable):  # else the sweep cancels it later
            _patiently(functools.partial(lifecycle.cancel_interrupted, report.campaign_id))
        raise
    return report


def _open(row: dict[str, Any], name: str) -> int:
    """A campaign that is being accepted, by this process; its id."""
    with transaction() as session:
        campaign = Campaign(**row, name=name, state=CampaignState.SCHEDULED, holder=processes.holder(), held_at=now())
        session.add(campaign)
    return campaign.id


def _accept(entries: Iterator[tuple[int, str]], row: dict[str, Any], report: Report) -> None:
    """Store everybody, then let the campaign leave. Raises NoRecipient, StorageUnavailable, campaigns.Refused."""
    stride = Stride(CHUNK)
    while chunk := list(islice(entries, stride.rows)):
        silent = _patiently(functools.partial(_store, chunk, row, stride))
        report.opted_out.extend(silent)
        report.accepted += len(chunk) - len(silent)
    if not report.accepted:
        raise NoRecipient(report)
    _patiently(functools.partial(lifecycle.begin, report.campaign_id))


def _new_numbers(lines: Iterable[tuple[int, str]], report: Report) -> Iterator[tuple[int, str]]:
    """Line and E.164 of every number that was not there before."""
    seen: set[int] = set()  # as integers: a third of the memory of texts
    for line, raw in lines:
        number, repaired = telephone_numbers.read(raw)
        if number is None:
            report.invalid.append(Refusal(line, raw))
            continue
        key = int(number[1:])
        if key in seen:
            report.duplicates.append(Refusal(line, number))
            continue
        seen.add(key)
        if repaired:
            report.repaired.append(Repair(line, raw, number))
        yield line, number


def _patiently(act: Callable[[], T]) -> T:
    """Do it in spite of a database that is busy or full for a while: a long list is not lost to a backup.

    Raises StorageUnavailable when that lasts.
    """
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except StorageUnavailable:
            if time.monotonic() > ends:
                raise
            time.sleep(PAUSE_SECONDS)


def _store(chunk: list[tuple[int, str]], template: dict[str, Any], stride: Stride) -> list[Refusal]:
    """One short transaction: who said STOP is left out and given back, the others get a row and its first event."""
    with bulk_step(stride) as (session, _):
        lifecycle.hold(session, template["campaign_id"])
        wanted = [number for _, number in chunk]
        silent = opt_outs.silent(session, wanted)
        moment = now()
        rows = [template | {"number": number, "created_at": moment} for number in wanted if number not in silent]
        if rows:
            last = last_message(session)
            session.execute(insert(Message), rows)
            first_events(session, last, template["campaign_id"], template["user_id"])
    db.session.expunge_all()
    return [Refusal(line, number) for line, number in chunk if number in silent]
