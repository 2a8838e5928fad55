"""ids given once, earlier attempts, figures by what happened, restorations"""

import json
import re

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'

# A deleted row may have had an id above all that is still written somewhere.
MARGIN = 1_000
# Where an id lies that no foreign key points from any more: it must not be given again either.
MENTIONED = {
    "accounts": ("SELECT max(account_id) FROM submissions", "SELECT max(account_id) FROM phones"),
    "campaigns": (
        "SELECT max(campaign_id) FROM messages",
        "SELECT max(answered_campaign_id) FROM messages",
        "SELECT max(repeat_of_id) FROM campaigns",
        "SELECT max(campaign_id) FROM recipients",
    ),
    "contact_groups": ("SELECT max(group_id) FROM imports",),
    "contacts": ("SELECT max(contact_id) FROM recipients", "SELECT max(contact_id) FROM import_lines"),
    "conversations": ("SELECT max(conversation_id) FROM notes",),
    "imports": ("SELECT max(import_id) FROM contacts", "SELECT max(import_id) FROM import_lines"),
    "journal": ("SELECT max(journal_id) FROM message_events", "SELECT max(journal_id) FROM parked_reports"),
    "messages": (
        "SELECT max(message_id) FROM message_events",
        "SELECT max(message_id) FROM opt_outs",
        "SELECT max(message_id) FROM notices",
        "SELECT max(reply_to_id) FROM messages",
        "SELECT max(last_message_id) FROM conversations",
    ),
    "submissions": ("SELECT max(submission_id) FROM messages",),
    "users": ("SELECT max(user_id) FROM audit_entries",),
}
# "campaign 12", "group 3, 40", "message 7" in the list of events; for these actions, the number alone.
NOUNS = {"campaign": "campaigns", "contact": "contacts", "group": "contact_groups", "message": "messages"}
ACTIONS = {"person erased": "contacts", "opt-out removed": "opt_outs", "import": "imports"}
# In the JSON of what campaigns were written for.
TARGETS = {"contacts": "contacts", "groups": "contact_groups", "import_id": "imports"}
# What a page holds is a word from now on, not a counter.
WORDS = {"campaigns": "revision", "contacts": "version"}

SERIES = """
WITH RECURSIVE row_of(id, first) AS (
    SELECT id, id FROM campaigns WHERE repeat_of_id IS NULL
    UNION ALL SELECT campaigns.id, row_of.first FROM campaigns JOIN row_of ON campaigns.repeat_of_id = row_of.id
)
UPDATE campaigns SET series_id = (SELECT first FROM row_of WHERE row_of.id = campaigns.id)
WHERE repeats IS NOT NULL OR repeat_of_id IS NOT NULL
"""
FIGURES = """
UPDATE messages SET figures_at = CASE
    WHEN direction = 'out' THEN coalesce(sent_at, created_at)
    -- A date of the year 2, as a provider once gave it, is none that anybody counts days from.
    WHEN created_at < (SELECT min(created_at) FROM phones) THEN (SELECT min(created_at) FROM phones)
    ELSE created_at END
WHERE direction = 'in' OR status NOT IN ('held', 'queued', 'sending')
"""
VERSIONS = {
    "sqlite": (
        "UPDATE import_lines SET before = json_set(before,"
        " '$.version', CAST(json_extract(before, '$.version') AS TEXT),"
        " '$.was', CAST(json_extract(before, '$.version') - 1 AS TEXT))"
        " WHERE json_type(before, '$.version') = 'integer'",
        "UPDATE campaigns SET revision = lower(hex(randomblob(8)))",
        # Words are kept folded from now on, as a search folds its own; the clock fills the index anew.
        "DROP TABLE message_words",
        "CREATE VIRTUAL TABLE message_words USING fts5(text, content='', tokenize='unicode61 remove_diacritics 0')",
    ),
    "postgresql": (
        "UPDATE import_lines SET before = (jsonb_set(jsonb_set(before::jsonb, '{was}',"
        " to_jsonb(((before->>'version')::int - 1)::text)), '{version}', to_jsonb(before->>'version')))::json"
        " WHERE json_typeof(before->'version') = 'number'",
        "UPDATE campaigns SET revision = substr(md5(random()::text || id::text), 1, 16)",
        "DELETE FROM message_words",
    ),
}


def upgrade() -> None:
    connection = op.get_bind()
    dialect = connection.dialect.name
    # What was counted was counted by the day of writing.
    op.execute("DELETE FROM counted_days")
    op.execute("DELETE FROM day_figures")
    _add_tables()
    _add_columns()
    if dialect == "sqlite":
        _rebuild(connection)
    else:
        for table, column in WORDS.items():
            op.alter_column(table, column, type_=sa.String(32), postgresql_using=f"{column}::varchar")
    for statement in (*VERSIONS[dialect], SERIES, FIGURES):
        op.execute(statement)
    if dialect == "sqlite":
        _keep_counters(connection)


def _add_tables() -> None:
    op.create_table('day_costs',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('phone_id', sa.Integer(), nullable=False),
    sa.Column('cost', sa.BigInteger(), nullable=False),
    sa.Column('estimated', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['phone_id'], ['phones.id'], name=op.f('fk_day_costs_phone_id')),
    sa.PrimaryKeyConstraint('day', 'phone_id', name=op.f('pk_day_costs'))
    )
    op.create_table('restorations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('noticed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('last_message_id', sa.Integer(), nullable=False),
    sa.Column('last_campaign_id', sa.Integer(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision', sa.Enum('send', 'keep_back', name='decision', native_enum=False, length=16), nullable=True),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_restorations_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_restorations'))
    )
    with op.batch_alter_table('restorations', schema=None) as batch_op:
        batch_op.create_index('ix_restorations_undecided', ['id'], unique=False, sqlite_where=sa.text('decided_at IS NULL'), postgresql_where=sa.text('decided_at IS NULL'))
    op.create_table('earlier_attempts',
    sa.Column('message_id', sa.Integer(), nullable=False),
    sa.Column('submission_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_earlier_attempts_message_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['submission_id'], ['submissions.id'], name=op.f('fk_earlier_attempts_submission_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('message_id', 'submission_id', name=op.f('pk_earlier_attempts'))
    )
    with op.batch_alter_table('earlier_attempts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_earlier_attempts_submission_id'), ['submission_id'], unique=False)


def _add_columns() -> None:
    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('departures', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('by_hand_not_before', sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table('campaigns', schema=None) as batch_op:
        batch_op.add_column(sa.Column('form_key', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('outgoing', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('cursor', sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column('retry_position', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('series_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_campaigns_series_id'), ['series_id'], unique=False)
        batch_op.create_unique_constraint(batch_op.f('uq_campaigns_form_key'), ['form_key'])
    with op.batch_alter_table('counted_days', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_stale', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('day_figures', schema=None) as batch_op:
        batch_op.drop_column('cost')
    with op.batch_alter_table('journal', schema=None) as batch_op:
        batch_op.add_column(sa.Column('attempts', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('next_attempt_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('results', sa.JSON(), nullable=True))
    op.create_index('ix_import_lines_order', 'import_lines', ['import_id', 'id'])
    with op.batch_alter_table('message_events', schema=None) as batch_op:
        batch_op.add_column(sa.Column('said_at', sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('figures_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index('ix_messages_figures_at', ['figures_at'], unique=False)
    with op.batch_alter_table('opt_outs', schema=None) as batch_op:
        batch_op.add_column(sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table('submissions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_estimated', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('asked_up_to', sa.Integer(), nullable=True))
        batch_op.create_index('ix_submissions_closed_at', ['closed_at'], unique=False)


def _rebuild(connection: sa.Connection) -> None:
    """Every table with an integer key, once more, with AUTOINCREMENT: its own text, its rows, its indexes.

    Foreign keys are not looked at meanwhile, see env.py.
    """
    tables = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE '%PRIMARY KEY (id)%' ORDER BY name"
    ).all()
    for name, sql in tables:
        indexes = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (name,)
        ).all()
        connection.exec_driver_sql(_with_autoincrement(name, sql))
        connection.exec_driver_sql(f'INSERT INTO "{name}_once" SELECT * FROM "{name}"')
        connection.exec_driver_sql(f'DROP TABLE "{name}"')
        connection.exec_driver_sql(f'ALTER TABLE "{name}_once" RENAME TO "{name}"')
        for (index,) in indexes:
            connection.exec_driver_sql(index)


def _with_autoincrement(name: str, sql: str) -> str:
    """The text of a table, under another name, whose ids are given once."""
    changed = re.sub(r'^CREATE TABLE "?\w+"?', f'CREATE TABLE "{name}_once"', sql)
    changed, keys = re.subn(r"\bid INTEGER NOT NULL", "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", changed, count=1)
    changed, constraints = re.subn(r",\s*(CONSTRAINT \w+ )?PRIMARY KEY \(id\)", "", changed)
    if name in WORDS:
        changed, words = re.subn(rf"\b{WORDS[name]} INTEGER\b", f"{WORDS[name]} VARCHAR(32)", changed)
    else:
        words = 1
    if (keys, constraints, words) != (1, 1, 1):
        raise RuntimeError(f"the table {name} is not as the migrations before this one left it")
    return changed


def _keep_counters(connection: sa.Connection) -> None:
    """The next id of each table lies above every id that was ever given, as far as anything still tells."""
    highest = _mentioned_in_words(connection)
    tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'")
    for (name,) in tables.all():
        found = [connection.exec_driver_sql(f'SELECT max(id) FROM "{name}"').scalar()]
        found += [connection.exec_driver_sql(query).scalar() for query in MENTIONED.get(name, ())]
        last = max([one or 0 for one in found] + [highest.get(name, 0)])
        connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        if last:
            connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, last + MARGIN))


def _mentioned_in_words(connection: sa.Connection) -> dict[str, int]:
    """The highest ids that the list of events and the campaigns' JSON speak of, by table."""
    highest: dict[str, int] = {}

    def seen(table: str, number: object) -> None:
        if isinstance(number, int) and number < 2**31:
            highest[table] = max(highest.get(table, 0), number)

    for action, subject in connection.exec_driver_sql("SELECT action, subject FROM audit_entries"):
        if found := re.match(r"(campaign|contact|group|message) (\d{1,10})\b", subject):
            seen(NOUNS[found[1]], int(found[2]))
        elif subject.isdecimal() and (table := ACTIONS.get(action) or ACTIONS.get(action.partition(" ")[0])):
            seen(table, int(subject))
    for (held,) in connection.exec_driver_sql("SELECT targets FROM campaigns WHERE targets IS NOT NULL"):
        chosen = json.loads(held) or {}
        for key, table in TARGETS.items():
            for number in chosen.get(key) or [] if key != "import_id" else [chosen.get(key)]:
                seen(table, number)
    return highest


def downgrade() -> None:
    raise RuntimeError("ids that were given cannot be taken back: restore a backup from before")
