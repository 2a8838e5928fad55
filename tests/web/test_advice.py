"""A message that waits says for what."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Account, Campaign, CampaignState, Hours, Message, Phone, PhoneStatus, Status, Trial
from raspisms.operations import health
from raspisms.sending import outbox
from raspisms.storage.transactions import transaction
from tests import factories
from tests.factories import LEA


@pytest.fixture
def waiting(app, phone, get, monkeypatch):
    """A queued message, and what its page says once the world was changed."""
    monkeypatch.setattr(health, "troubles", lambda: ())
    with app.app_context():
        message_id = outbox.post(db.session.get(Phone, phone.id), [LEA], "Bonjour").messages[0].id
        with transaction() as session:
            session.execute(update(Message).values(status=Status.QUEUED, held_until=None))

        def page(*changes, campaign=None):
            with transaction() as session:
                if campaign is not None:
                    row = Campaign(name="Fête", text="Bonjour", purpose="information", phone_id=phone.id, **campaign)
                    session.add(row)
                    session.flush()
                    session.execute(update(Message).values(campaign_id=row.id))
                for change in changes:
                    session.execute(change)
            return get(f"/messages/{message_id}").text

        yield page
        db.session.rollback()


def test_for_nothing(waiting):
    assert "Il part dans un instant." in waiting()


def test_for_its_phone(waiting):
    assert "quand le téléphone enverra" in waiting(update(Phone).values(status=PhoneStatus.NO_CREDIT))


def test_for_the_provider(waiting):
    assert "prochain essai à" in waiting(update(Account).values(not_before=now() + timedelta(minutes=5)))


@pytest.mark.parametrize(
    ("campaign", "words"),
    [
        ({"state": CampaignState.PAUSED}, "Sa campagne est suspendue"),
        ({"state": CampaignState.SENDING, "trial_state": Trial.WAITING}, "les accusés de ses premiers SMS"),
    ],
)
def test_for_its_campaign(waiting, campaign, words):
    assert words in waiting(campaign=campaign)


def test_for_the_hours(waiting, monkeypatch):
    from raspisms.messages import hours

    monkeypatch.setattr(hours, "opening", lambda *_: now() + timedelta(hours=9))
    assert "Il attend les heures d’envoi" in waiting(campaign={"state": CampaignState.SENDING, "hours": Hours.FREE})


def test_for_somebody_who_sends(waiting, monkeypatch):
    monkeypatch.setattr(health, "troubles", lambda: (health.SILENT["sending"],))
    assert "Aucun processus d’envoi ne tourne" in waiting()


def test_for_those_before_it(app, waiting, phone):
    with transaction() as session:
        first = session.query(Message).one()
        session.add(
            Message(
                direction=first.direction, phone_id=phone.id, number=LEA, text="x", status=Status.QUEUED, batch_key="k"
            )
        )
        session.flush()
    page = waiting()
    assert page
    last = db.session.query(Message).order_by(Message.id.desc()).first()
    db.session.rollback()
    client = factories.signed_in(app, factories.user(app, "zoe@example.org", "member"))
    assert "1 SMS part avant lui" in client.get(f"/messages/{last.id}").text


def test_the_dashboard_is_not_calm_while_something_waits(waiting, get):
    waiting()
    assert "Rien n’attend personne" in get("/").text
    waiting(update(Message).values(created_at=now() - timedelta(minutes=11)))
    page = get("/").text
    assert "1 SMS attend depuis plus de dix minutes" in page.replace("\xa0", " ")
    assert "Rien n’attend personne" not in page
