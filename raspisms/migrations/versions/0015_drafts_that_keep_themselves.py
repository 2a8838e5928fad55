"""a draft keeps itself while somebody types, and may replace a campaign that is scheduled"""

import sqlalchemy as sa
from alembic import op


revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    op.add_column('campaigns', sa.Column('being_written', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('campaigns', sa.Column('replaces_id', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('campaigns', 'replaces_id')
    op.drop_column('campaigns', 'being_written')
