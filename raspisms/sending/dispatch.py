"""Sending what is due for one account: claim, ask the provider, record; one request at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..adapters import Adapter
from ..adapters.base import Accepted, AdapterError
from ..database import StorageUnavailable
from ..phones.settings import open_adapter
from . import claim, lease, outcome

# A job hands over after this long, so that several accounts share the workers.
BUDGET_SECONDS = 30.0
# Below the lease and the job's own limit.
RECORD_SECONDS = 40.0

Adapters = dict[tuple[str, str], Adapter]

log = logging.getLogger(__name__)


def drain(account_id: int, *, stop: Callable[[], bool] = lambda: False) -> bool:
    """Send until nothing is due, `stop()` says so or the budget is spent; True when more is due now.

    Returns at once when another process is sending for this account: that one looks again after it gave
    the lease back, so nothing that was committed before this call is forgotten.
    """
    deadline = time.monotonic() + BUDGET_SECONDS
    adapters: Adapters = {}
    while lease.take(account_id):
        try:
            while not stop() and time.monotonic() < deadline:
                claimed = claim.next_claim(account_id)
                if claimed is None:
                    break
                _record(claimed.submission_id, _submit(adapters, claimed))
        except lease.LeaseLost:
            return False
        finally:
            lease.release(account_id)
        if not claim.is_due(account_id):
            return False
        if stop() or time.monotonic() >= deadline:
            return True
    return False


def _submit(adapters: Adapters, claimed: claim.Claim) -> Accepted | AdapterError:
    try:
        return _adapter(adapters, claimed).submit(claimed.batch)
    except AdapterError as error:
        return error


def _record(submission_id: int, result: Accepted | AdapterError) -> None:
    """Keep the answer, however long the database is locked or full: it holds the ticket.

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


def _adapter(adapters: Adapters, claimed: claim.Claim) -> Adapter:
    """One adapter, so one connection, per settings for the whole job. Raises AccountError."""
    key = (claimed.adapter, claimed.sealed_settings)
    if key not in adapters:
        adapters[key] = open_adapter(*key)
    return adapters[key]
