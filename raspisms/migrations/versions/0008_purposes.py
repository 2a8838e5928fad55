"""what an SMS is sent for, in our own words"""

import sqlalchemy as sa
from alembic import op


revision = '0008'
down_revision = '0007'

TABLES = ('messages', 'campaigns', 'submissions')
WORDS = {'alert': 'information', 'wholesale': 'advertising'}


def upgrade():
    rename(WORDS)


def downgrade():
    rename({new: old for old, new in WORDS.items()})


def rename(words):
    for name in TABLES:
        table = sa.table(name, sa.column('purpose', sa.String(16)))
        for old, new in words.items():
            op.execute(table.update().where(table.c.purpose == old).values(purpose=new))
