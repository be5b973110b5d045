"""A call whose outcome was once not known is remembered, so that a later refusal is not taken for "nobody got it"."""

from scrm.migrate import run_sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
alter table broadcast_ticket add column doubted_at timestamptz;
"""
