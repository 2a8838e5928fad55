"""how a list was understood and what somebody chose instead; one word for each verdict on its lines"""

import sqlalchemy as sa
from alembic import op


revision = '0012'
down_revision = '0011'

# A line that was known already, and one that the file had before, were both "duplicate": the sentence tells.
TWICE = 'Déjà sur une ligne précédente de ce fichier.'


def upgrade():
    op.add_column('imports', sa.Column('layout', sa.JSON()))
    op.add_column('imports', sa.Column('choice', sa.JSON()))
    rename('duplicate', 'double', ' AND reason = :twice')
    rename('duplicate', 'known')
    rename('updated', 'changed')
    rename('refused', 'wrong')


def downgrade():
    rename('left_out', 'refused')
    rename('wrong', 'refused')
    rename('changed', 'updated')
    rename('known', 'duplicate')
    rename('double', 'duplicate')
    op.drop_column('imports', 'choice')
    op.drop_column('imports', 'layout')


def rename(old, new, which=''):
    values = {'old': old, 'new': new} | ({'twice': TWICE} if which else {})
    op.get_bind().execute(sa.text(f'UPDATE import_lines SET verdict = :new WHERE verdict = :old{which}'), values)
