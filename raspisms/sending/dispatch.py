"""Sending what is due for one account: claim, ask the provider, record; one request at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from ..adapters import Adapter
from ..adapters.base import Accepted, AdapterError, AmbiguousError
from ..i18n import N_
from ..phones.settings import open_adapter
from ..receiving import journal
from ..storage.transactions import StorageUnavailable
from . import claim, confirmation, lease, outcome, restoration

# A job hands over after this long, so that several accounts share the workers.
BUDGET_SECONDS = 30.0
# So long are callbacks applied before messages are sent again.
HEAR_SECONDS = 5.0
# Below the lease and the job's own limit.
RECORD_SECONDS = 40.0

UNEXPECTED = N_("Le fournisseur a répondu d’une façon inattendue. RaspiSMS redemande sans risque de doublon.")

log = logging.getLogger(__name__)


def drain(account_id: int, *, stop: Callable[[], bool] = lambda: False) -> bool:
    """Send until nothing is due, `stop()` says so or the budget is spent; True when more is due now.

    Returns at once when another process is sending for this account: that one looks again after it gave
    the lease back, so nothing that was committed before this call is forgotten.
    """
    deadline = time.monotonic() + BUDGET_SECONDS

    def may_go_on() -> bool:
        return not stop() and time.monotonic() < deadline

    while lease.take(account_id):
        try:
            _send(account_id, may_go_on)
        except lease.LeaseLost:
            return False
        finally:
            lease.release(account_id)
        if not claim.is_due(account_id):
            return False
        if not may_go_on():
            return True
    return False


def _next_claim(account_id: int, may_go_on: Callable[[], bool]) -> claim.Claim | None:
    """The next request; before something is sent again, what was said of it and waits to be applied is."""
    try:
        return claim.next_claim(account_id, may_go_on=may_go_on)
    except claim.HearFirst:
        with suppress(StorageUnavailable):
            journal.import_inbox()
            journal.apply_new(HEAR_SECONDS)
        return claim.next_claim(account_id, has_heard=True, may_go_on=may_go_on)


def _send(account_id: int, may_go_on: Callable[[], bool]) -> None:
    """One request after another; while one is in the air, the last answer is recorded and the next prepared."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="air") as air:
        runway = Runway(account_id, air)
        flight = runway.launch(_next_claim(account_id, may_go_on)) if may_go_on() else None
        while flight is not None:
            ready = _prepare(account_id)
            result = flight.land()
            following = None
            try:
                if _is_plain(result) and may_go_on():
                    following = runway.launch(_claim_or_none(account_id, ready))
            finally:  # whatever befalls the next one, this answer holds a provider id
                _record(flight.submission_id, result)
            if following is None and may_go_on():
                following = runway.launch(_next_claim(account_id, may_go_on))
            flight = following


def _is_plain(result: Accepted | AdapterError) -> bool:
    """Whether the next request need not wait for what is made of this answer: a surprise may tell of an old copy."""
    return isinstance(result, Accepted) and not result.was_taken_before


@dataclass(frozen=True)
class Flight:
    """A request in the air."""

    submission_id: int
    answer: Future[Accepted]

    def land(self) -> Accepted | AdapterError:
        """Wait for the answer. Whatever an adapter did not expect was perhaps sent."""
        error = self.answer.exception()
        if error is None:
            return self.answer.result()
        if isinstance(error, AdapterError):
            return error
        log.error("submission=%s: an adapter raised %s", self.submission_id, type(error).__name__)
        return AmbiguousError(UNEXPECTED, words=type(error).__name__)


class Runway:
    """Where requests leave from, one at a time, in a thread that knows neither Flask nor the database."""

    def __init__(self, account_id: int, air: ThreadPoolExecutor) -> None:
        self._account_id = account_id
        self._air = air
        self._adapters: dict[tuple[str, str], Adapter] = {}

    def launch(self, claimed: claim.Claim | None) -> Flight | None:
        """Ask the provider for a claim; None for none."""
        if claimed is None:
            return None
        restoration.remember(self._account_id, claimed.departure)
        answer: Future[Accepted] = Future()
        try:
            answer = self._air.submit(self._adapter(claimed).submit, claimed.batch)
        except AdapterError as error:
            answer.set_exception(error)
        return Flight(claimed.submission_id, answer)

    def _adapter(self, claimed: claim.Claim) -> Adapter:
        """One adapter, so one connection, per settings for the whole job. Raises AccountError."""
        key = (claimed.adapter, claimed.sealed_settings)
        if key not in self._adapters:
            self._adapters[key] = open_adapter(*key)
        return self._adapters[key]


def _prepare(account_id: int) -> claim.Claim | None:
    """Only a convenience: without it the next chunk is gathered a little later."""
    with suppress(StorageUnavailable, lease.LeaseLost):
        return claim.prepare(account_id)
    return None


def _claim_or_none(account_id: int, ready: claim.Claim | None) -> claim.Claim | None:
    """The next claim before the last answer is recorded; neither trouble with it nor what waits delays that answer."""
    with suppress(StorageUnavailable, lease.LeaseLost, claim.HearFirst):
        if ready is not None and (departure := confirmation.confirm(account_id, ready)):
            return replace(ready, departure=departure)
        return claim.next_claim(account_id, may_go_on=lambda: False)  # an answer waits to be written down
    return None


def _record(submission_id: int, result: Accepted | AdapterError) -> None:
    """Keep the answer, however long the database is locked or full: it holds the provider id.

    Giving up loses no message: the next attempt repeats the request_id and learns that it was taken.
    """
    patience = time.monotonic() + RECORD_SECONDS
    while True:
        try:
            return outcome.record(submission_id, result)
        except StorageUnavailable:
            if time.monotonic() > patience:
                raise
            log.warning("submission=%s: the database takes no answer, waiting", submission_id)
            time.sleep(0.5)
