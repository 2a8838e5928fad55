"""files of people, kept until a job has read them"""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'


def upgrade():
    op.create_table(
        'import_pieces',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('import_id', sa.Integer(), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ['import_id'], ['imports.id'], name=op.f('fk_import_pieces_import_id_imports'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_import_pieces')),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_import_pieces_import_id'), 'import_pieces', ['import_id'])
    op.add_column('imports', sa.Column('holder', sa.String(length=200)))
    op.add_column('imports', sa.Column('reason', sa.String(length=500)))
    op.add_column('imports', sa.Column('reason_line', sa.Integer()))


def downgrade():
    op.drop_column('imports', 'reason_line')
    op.drop_column('imports', 'reason')
    op.drop_column('imports', 'holder')
    op.drop_table('import_pieces')
