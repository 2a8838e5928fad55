"""requests of which an attempt that named only some was perhaps sent"""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'


def upgrade():
    # Not in a batch: with a default, SQLite's table would be copied, and its ids given again (see 0005).
    op.add_column('submissions', sa.Column('leaves_doubt', sa.Boolean(), nullable=False, server_default='0'))


def downgrade():
    op.drop_column('submissions', 'leaves_doubt')
