"""A text as it is sent: line ends, composed accents, and the same everywhere that counts it."""

import unicodedata

import pytest
from sqlalchemy import select

from raspisms.campaigns import drafts, launch
from raspisms.campaigns.targets import Targets
from raspisms.extensions import db
from raspisms.messages import outgoing
from raspisms.models import Message, Recipient
from raspisms.people import contacts
from raspisms.sms import segments
from tests.factories import LEA, compose, post

LONG = "Réunion décalée à l'école : prévenez les élèves, merci. " * 2
APART = unicodedata.normalize("NFD", LONG)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [(APART, LONG), ("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\0b", "ab"), ("S\u0332T\u0332", "S\u0332T\u0332")],
)
def test_a_text_is_sent_in_one_form(typed, sent):
    assert outgoing.clean(typed) == sent


def test_an_invisible_difference_costs_nothing(app, phone, client):
    assert (segments.count(APART).parts, segments.count(LONG).parts) == (2, 1)
    post(app, phone, LEA, text=APART)
    compose(client, to=LEA, text=APART)
    with app.app_context():
        rows = db.session.execute(select(Message.text, Message.parts).order_by(Message.id)).all()
    assert [(text.strip(), parts) for text, parts in rows] == [(LONG.strip(), 1)] * 2


def test_what_a_contact_brings_is_composed_too(here):
    """Names and data, whoever wrote them; a text that is written for each costs the same."""
    name, town = "Léa Rémy", "Orléans"
    apart = [unicodedata.normalize("NFD", word) for word in (name, town, "prénom")]
    saved = contacts.save(None, None, apart[0], LEA, {"ville": apart[1], apart[2]: "Léa"})
    assert (saved.name, saved.data) == (name, {"ville": town, "prénom": "Léa"})
    wish = drafts.Wish(1, unicodedata.normalize("NFD", "Été à {{ contact.ville }}"), Targets(contacts=[saved.id]))
    launch.work(drafts.save(None, wish, None).id)
    [row] = db.session.scalars(select(Recipient))
    assert (row.text, row.parts) == ("Été à Orléans", 1)
