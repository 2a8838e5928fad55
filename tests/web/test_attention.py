"""What the dashboard says needs somebody."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from raspisms import clock
from raspisms.extensions import db
from raspisms.figures import days
from raspisms.models import Phone
from raspisms.web import attention
from tests import factories


def test_phones_of_one_account_spend_from_one_purse(app, here):

    factories.phone("Secours", number="+33755552222")
    for one in db.session.scalars(select(Phone)):
        factories.billed(one, Decimal("14"), days_ago=1)
    days.count(clock.today() - timedelta(days=1))
    assert {one.a_day for one in attention.attention().forecasts} == {Decimal("2")}
