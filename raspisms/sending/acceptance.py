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

from .. import gate
from ..campaigns import lifecycle
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..machine import processes
from ..messages import hours, outgoing
from ..models import Campaign, CampaignState, Hours, Lane, Phone
from ..sms import phone_numbers as telephone_numbers
from ..sms.purposes import Purpose
from ..storage.stride import Stride
from ..storage.transactions import StorageUnavailable, bulk_step, transaction
from .outbox import Refused, check

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
class LeftOut:
    """A line whose number a rule forbids."""

    line: int
    refusal: gate.Refusal


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
    left_out: list[LeftOut] = field(default_factory=list)
    """Those to whom another rule forbids it."""


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
    purpose: Purpose = Purpose.INFORMATION,
    expires_at: datetime | None = None,
) -> Report:
    """Accept one text for the numbers of many lines (line number, what is written there), then let it leave.

    Nothing leaves before every line was read; an interrupted acceptance is cancelled as a whole.
    Raises lifecycle.Refused when it was cancelled in the meantime.
    What has not left by `expires_at` does not leave any more. Raises Refused, NoRecipient, StorageUnavailable.
    """
    text = outgoing.clean(text)
    check(phone, text, purpose, expires_at, Hours.FREE)  # a campaign waits for its hours
    row: dict[str, Any] = {
        "phone_id": phone.id,
        "user_id": user_id,
        "text": text,
        "purpose": purpose,
        "expires_at": expires_at,
        "hours": hours.usual(purpose),
    }
    report = Report(_open(row, " ".join((name or text).split())[:NAME_LENGTH]))
    row = outgoing.with_text(
        outgoing.common(
            phone.id,
            Lane.BULK,
            purpose=purpose,
            expires_at=expires_at,
            user_id=user_id,
            campaign_id=report.campaign_id,
        ),
        text,
    )
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
    """Store everybody, then let the campaign leave. Raises NoRecipient, StorageUnavailable, lifecycle.Refused."""
    stride = Stride(CHUNK)
    while chunk := list(islice(entries, stride.rows)):
        refused = _patiently(functools.partial(_store, chunk, row, stride))
        for line, number in chunk:
            if number in refused:
                _tell(report, line, refused[number])
        report.accepted += len(chunk) - len(refused)
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


def _store(chunk: list[tuple[int, str]], template: dict[str, Any], stride: Stride) -> dict[str, gate.Refusal]:
    """One short transaction: who may not get it is left out and given back, the others get a row and its event."""
    with bulk_step(stride) as (session, _):
        lifecycle.hold(session, template["campaign_id"])
        wanted = [number for _, number in chunk]
        refused = gate.may_get(session, wanted, template["purpose"])
        moment = now()
        rows = [template | {"number": number, "created_at": moment} for number in wanted if number not in refused]
        outgoing.post_many(session, rows)
    db.session.expunge_all()
    return refused


def _tell(report: Report, line: int, refusal: gate.Refusal) -> None:
    if refusal.reason is gate.Reason.OPTED_OUT:
        report.opted_out.append(Refusal(line, refusal.number))
    else:
        report.left_out.append(LeftOut(line, refusal))
