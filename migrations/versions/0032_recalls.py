"""Recalled messages are found by when they were recalled."""

from scrm.migrate import run_sql

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    run_sql(SQL)


SQL = "create index message_recall_time on message (recalled_at) where recalled_at is not null"
