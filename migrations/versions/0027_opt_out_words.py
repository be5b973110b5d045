"""A customer who answers a post with a word that means no more is held by it."""

from scrm.migrate import run_sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    run_sql(SQL)


SQL = "alter table campaign_hold add column word text not null default ''"
