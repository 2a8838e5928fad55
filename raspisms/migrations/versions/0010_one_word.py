"""one word, one thing: what a provider calls a request, and the first few of a campaign"""

import sqlalchemy as sa
from alembic import op


revision = '0010'
down_revision = '0009'

# Renamed in place: a table of years is not copied for a word.
COLUMNS = (
    ('submissions', 'ticket', 'provider_id'),
    ('parked_reports', 'ticket', 'provider_id'),
    ('campaigns', 'canary', 'trial'),
    ('campaigns', 'canary_state', 'trial_state'),
    ('campaigns', 'canary_at', 'trial_at'),
)
INDEXES = (
    ('submissions', 'ix_submissions_ticket', ['ticket'], 'ix_submissions_provider_id', ['provider_id']),
    (
        'parked_reports',
        'ix_parked_reports_ticket',
        ['account_id', 'ticket', 'number'],
        'ix_parked_reports_provider_id',
        ['account_id', 'provider_id', 'number'],
    ),
)


def upgrade():
    for table, name, _, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
    for table, old, new in COLUMNS:
        rename(table, old, new)
    for table, _, _, name, columns in INDEXES:
        op.create_index(name, table, columns)


def downgrade():
    for table, _, _, name, _ in INDEXES:
        op.drop_index(name, table_name=table)
    for table, old, new in COLUMNS:
        rename(table, new, old)
    for table, name, columns, _, _ in INDEXES:
        op.create_index(name, table, columns)


def rename(table, old, new):
    op.execute(sa.text(f'ALTER TABLE {table} RENAME COLUMN {old} TO {new}'))
