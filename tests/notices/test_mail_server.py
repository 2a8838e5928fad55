"""E-mails while the mail server is silent, or two machines send them."""

from __future__ import annotations

from raspisms.models import Notice, NoticeKind
from raspisms.notices import planning
from raspisms.storage.transactions import transaction
from tests.conversations.steps import hears


def test_two_machines_do_not_send_the_same_letter(here):
    message = hears(here)
    with transaction() as session:
        session.add(Notice(user_id=1, kind=NoticeKind.RECEIVED, message_id=message.id))
    assert len(planning.claim(10)) == 1
    assert planning.claim(10) == []


def test_a_silent_mail_server_is_left_in_peace(here):
    message = hears(here)
    with transaction() as session:
        session.add(Notice(user_id=1, kind=NoticeKind.RECEIVED, message_id=message.id))
    assert planning.is_due()
    planning.rest()
    assert not planning.is_due()
