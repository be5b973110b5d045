"""The list of late conversations is read from an index in its own order."""

from scrm.migrate import run_sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
drop index conversation_breached;
create index conversation_breached on conversation (status, last_message_at desc, id desc) where sla_breached_at is not null;
"""
