"""What tests of sending do again and again."""

from __future__ import annotations

import os
from datetime import timedelta

from raspisms.campaigns import lifecycle
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.machine import processes
from raspisms.models import Account, Campaign, Phone
from raspisms.phones import saving
from raspisms.phones.settings import values_of
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import acceptance
from raspisms.storage.transactions import transaction
from tests.factories import let_time_pass, ring

TEXT = "La salle ouvre à 9 h."


def numbers(count, start=8000):
    return [f"+3363998{n:04d}" for n in range(start, start + count)]


def accept(app, phone, raw, text=TEXT, **more):
    with app.app_context():
        return acceptance.post_campaign(db.session.get(Phone, phone.id), enumerate(raw, start=1), text, **more)


def hold_back(app, phone, raw, text=TEXT):
    """A campaign accepted and paused before anything left."""
    report = accept(app, phone, raw, text)
    do(app, lifecycle.pause, report.campaign_id)
    return report.campaign_id


def do(app, verb, campaign_id):
    with app.app_context():
        return verb(campaign_id)


def state(app, campaign_id):
    with app.app_context():
        return db.session.get(Campaign, campaign_id).state


def counts(app, campaign_id):
    with app.app_context():
        return {status: n for status, n in lifecycle.counts(campaign_id).items() if n}


def texts(octopush):
    return [(request["body"]["text"], len(request["body"]["recipients"])) for request in octopush.requests]


def hold(app, phone, holder, seconds):
    with app.app_context(), transaction() as session:
        account = session.get(Account, phone.account_id)
        account.holder, account.held_until = holder, now() + timedelta(seconds=seconds)


def living_holder():
    return (
        processes.holder().replace(f"#{os.getpid()}#", f"#{os.getppid()}#").rpartition("#")[0]
        + "#"
        + processes.started(os.getppid())
    )


def change(app, phone, **changes):
    """What the phone form does when the check passes."""
    with app.app_context():
        saved = db.session.get(Phone, phone.id)
        values = values_of(saved) | changes
        draft = saving.Draft(saved.adapter, values.pop("name", saved.name), values, phone=saved)
        assert saving.validate(draft), draft.errors
        saving.save(draft, saving.check(draft))


def tidy(app):
    with app.app_context():
        scheduler.tidy()


def retry(app, run_jobs):
    let_time_pass(app)
    ring(app)
    run_jobs()


def accepted(octopush, number):
    """What the provider took for this number: the truth that a person's telephone knows."""
    return [sms for sms in octopush.messages if sms.number == number and not sms.incoming]


def request_ids(octopush):
    return [request["body"]["request_id"] for request in octopush.requests]
