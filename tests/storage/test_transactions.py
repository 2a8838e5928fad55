"""What a transaction reads and writes."""

from __future__ import annotations

from raspisms.extensions import db
from raspisms.models import Phone
from raspisms.storage.transactions import transaction


def test_a_transaction_reads_again_what_was_read_before(app, phone):
    with app.app_context():
        held = db.session.get(Phone, phone.id)
        db.session.commit()
        with db.engine.connect() as other:
            other.exec_driver_sql("UPDATE phones SET name = 'Nouveau'")
            other.commit()
        with transaction():
            assert held.name == "Nouveau"
