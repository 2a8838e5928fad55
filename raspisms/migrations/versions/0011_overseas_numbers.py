"""numbers of the French territories, which were read as the mainland's: 0692 00 00 01 is +262 692 00 00 01"""

import json
import logging
import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from raspisms.sms import phone_numbers


revision = '0011'
down_revision = '0010'

log = logging.getLogger('alembic')

# How numbers begin that never were the mainland's; the rest of 06 39 and 07 0 is told by the plan.
SUSPECTS = ('+3369', '+33639', '+3370')
STAMP = sa.DateTime(timezone=True)
CONTACTS = sa.table(
    'contacts', sa.column('id'), sa.column('name'), sa.column('number'), sa.column('search'), sa.column('version'),
    sa.column('data', sa.JSON()), sa.column('consent'), sa.column('consent_at', STAMP),
    sa.column('fault'), sa.column('fault_at', STAMP),
)
MEMBERS = sa.table('group_contacts', sa.column('group_id'), sa.column('contact_id'))
LINES = sa.table('import_lines', sa.column('id'), sa.column('import_id'), sa.column('number'), sa.column('contact_id'))
OPT_OUTS = sa.table(
    'opt_outs', sa.column('id'), sa.column('number'), sa.column('created_at', STAMP), sa.column('lifted_at', STAMP)
)
MESSAGES = sa.table(
    'messages', sa.column('id'), sa.column('number'), sa.column('status'), sa.column('direction'), sa.column('campaign_id'),
    sa.column('stop'),
)
CAMPAIGNS = sa.table('campaigns', sa.column('id'), sa.column('state'))
RECIPIENTS = sa.table(
    'recipients', sa.column('id'), sa.column('campaign_id'), sa.column('contact_id'), sa.column('number'),
    sa.column('fate'),
)
AUDIT = sa.table('audit_entries', sa.column('at', STAMP), sa.column('action'), sa.column('subject'))


def upgrade():
    connection = op.get_bind()
    counts = {
        'contacts': contacts(connection),
        'opt-outs': opt_outs(connection),
        'messages': messages(connection),
        'recipients': recipients(connection),
        'lines': lines(connection),
    }
    if any(counts.values()):
        said = ', '.join(f'{name} {number}' for name, number in counts.items() if number)
        log.info('numbers of the territories were the mainland’s, and are corrected: %s', said)
        connection.execute(AUDIT.insert().values(at=datetime.now(UTC), action='numbers corrected', subject=said))


def downgrade():
    """A number that exists stays."""


def wrong(connection, table, *which):
    """The rows with a number of a territory that was read as the mainland's, with what it is."""
    suspected = sa.or_(*(table.c.number.like(f'{beginning}%') for beginning in SUSPECTS))
    for row in connection.execute(sa.select(table).where(suspected, *which).order_by(table.c.id)).all():
        right = phone_numbers.of_french_plan(row.number[3:])
        if right is not None and right != row.number:
            yield row, right


def contacts(connection):
    """Contacts get their number; who is there twice by that (one name, one number) becomes one."""
    count = 0
    for row, right in wrong(connection, CONTACTS):
        count += 1
        same = sa.and_(CONTACTS.c.number == right, CONTACTS.c.name == row.name, CONTACTS.c.id != row.id)
        other = connection.execute(sa.select(CONTACTS).where(same).order_by(CONTACTS.c.id)).first()
        if other is not None and row.name:
            merge(connection, other, row)
            continue
        search = row.search.replace(row.number, right)  # it holds the national form too, which is the same
        values = {'number': right, 'search': search, 'fault': None, 'fault_at': None}
        connection.execute(CONTACTS.update().where(CONTACTS.c.id == row.id).values(**values))
    return count


def merge(connection, kept, gone):
    """One person: the data, groups and consent of both, those of the right number where both say something."""
    data = {**as_dict(gone.data), **as_dict(kept.data)}
    consent = {} if kept.consent else {'consent': gone.consent, 'consent_at': gone.consent_at}
    values = {'data': data, 'version': secrets.token_hex(8)} | consent  # a page that was opened before is told so
    connection.execute(CONTACTS.update().where(CONTACTS.c.id == kept.id).values(**values))
    mine = sa.select(MEMBERS.c.group_id).where(MEMBERS.c.contact_id == kept.id)
    connection.execute(
        MEMBERS.update().where(MEMBERS.c.contact_id == gone.id, MEMBERS.c.group_id.not_in(mine)).values(contact_id=kept.id)
    )
    connection.execute(MEMBERS.delete().where(MEMBERS.c.contact_id == gone.id))
    for table in (LINES, RECIPIENTS):
        connection.execute(table.update().where(table.c.contact_id == gone.id).values(contact_id=kept.id))
    connection.execute(CONTACTS.delete().where(CONTACTS.c.id == gone.id))


def as_dict(data):
    return json.loads(data) if isinstance(data, str) else dict(data or {})


def opt_outs(connection):
    """Who said STOP stays silent, under the number that they have; where both are known, a STOP wins."""
    count = 0
    for row, right in wrong(connection, OPT_OUTS):
        count += 1
        other = connection.execute(sa.select(OPT_OUTS).where(OPT_OUTS.c.number == right)).first()
        if other is None:
            connection.execute(OPT_OUTS.update().where(OPT_OUTS.c.id == row.id).values(number=right))
            continue
        if row.lifted_at is None:  # a START from between takes nothing back
            last = max(row.created_at, other.created_at)
            values = {'lifted_at': None, 'created_at': last}
            connection.execute(OPT_OUTS.update().where(OPT_OUTS.c.id == other.id).values(**values))
        connection.execute(OPT_OUTS.delete().where(OPT_OUTS.c.id == row.id))
    return count


def messages(connection):
    """What waits goes to the number that there is, and a doubtful STOP is that of who has it.

    Of a campaign that has both, the wrong one is refused as it leaves.
    """
    count = 0
    waiting = sa.or_(MESSAGES.c.status.in_(('queued', 'held')), MESSAGES.c.stop == 'suspected')
    for row, right in wrong(connection, MESSAGES, waiting):
        campaign = row.campaign_id if row.direction == 'out' else None
        there = sa.select(MESSAGES.c.id).where(MESSAGES.c.campaign_id == campaign, MESSAGES.c.number == right)
        comes = sa.select(RECIPIENTS.c.id).where(
            RECIPIENTS.c.campaign_id == campaign, RECIPIENTS.c.number == right, RECIPIENTS.c.fate == 'kept'
        )
        if campaign is None or not any(connection.scalar(one.limit(1)) for one in (there, comes)):
            connection.execute(MESSAGES.update().where(MESSAGES.c.id == row.id).values(number=right))
            count += 1
    return count


def recipients(connection):
    """Those of campaigns that are not over; who is in one twice by that gets it once.

    Who has a message under the number that nobody has keeps it: it says what was sent.
    """
    count = 0
    alive = sa.select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.state.not_in(('done', 'cancelled')))
    for row, right in wrong(connection, RECIPIENTS, RECIPIENTS.c.campaign_id.in_(alive)):
        sent = sa.select(MESSAGES.c.id).where(
            MESSAGES.c.campaign_id == row.campaign_id, MESSAGES.c.number == row.number
        )
        if connection.scalar(sent.limit(1)) is not None:
            continue
        kept = sa.select(RECIPIENTS.c.id).where(
            RECIPIENTS.c.campaign_id == row.campaign_id, RECIPIENTS.c.number == right, RECIPIENTS.c.fate == 'kept'
        )
        twice = row.fate == 'kept' and connection.scalar(kept.limit(1)) is not None
        values = {'number': right} | ({'fate': 'duplicate'} if twice else {})
        connection.execute(RECIPIENTS.update().where(RECIPIENTS.c.id == row.id).values(**values))
        count += 1
    return count


def lines(connection):
    """Those of imports that nobody has applied yet, or that may be undone."""
    count = 0
    for row, right in wrong(connection, LINES):
        connection.execute(LINES.update().where(LINES.c.id == row.id).values(number=right))
        count += 1
    return count
