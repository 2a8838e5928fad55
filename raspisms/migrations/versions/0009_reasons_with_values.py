"""why a text cannot be computed for somebody, without a language of its own"""

import sqlalchemy as sa
from alembic import op


revision = '0009'
down_revision = '0008'


def upgrade():
    op.add_column('recipients', sa.Column('reason_values', sa.JSON()))


def downgrade():
    op.drop_column('recipients', 'reason_values')
