"""what people delete waits for a moment; deleting is a right"""

import sqlalchemy as sa
from alembic import op


revision = '0013'
down_revision = '0012'


def upgrade() -> None:
    op.create_table('removals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('contact', 'contacts', 'members', 'received', 'group', 'text', name='removalkind', native_enum=False, length=16), nullable=False),
    sa.Column('subject', sa.String(length=100), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('begun', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_removals_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_removals')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('removals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_removals_due_at'), ['due_at'], unique=False)

    op.create_table('removal_targets',
    sa.Column('removal_id', sa.Integer(), nullable=False),
    sa.Column('target_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['removal_id'], ['removals.id'], name=op.f('fk_removal_targets_removal_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('removal_id', 'target_id', name=op.f('pk_removal_targets'))
    )
    with op.batch_alter_table('removal_targets', schema=None) as batch_op:
        batch_op.create_index('ix_removal_targets_target', ['target_id'], unique=False)

    op.add_column('users', sa.Column('may_delete', sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column('users', 'may_delete')

    with op.batch_alter_table('removal_targets', schema=None) as batch_op:
        batch_op.drop_index('ix_removal_targets_target')

    op.drop_table('removal_targets')
    with op.batch_alter_table('removals', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_removals_due_at'))

    op.drop_table('removals')
