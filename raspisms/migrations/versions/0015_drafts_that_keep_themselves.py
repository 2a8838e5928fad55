"""a draft that keeps itself while somebody types is not reviewed yet"""

import sqlalchemy as sa
from alembic import op


revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    op.add_column('campaigns', sa.Column('being_written', sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column('campaigns', 'being_written')
