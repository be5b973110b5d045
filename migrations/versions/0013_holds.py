"""A hold tells by itself whether it is open, so that open ones alone are kept apart when customers become one."""

from scrm.migrate import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
alter table campaign_hold add column open_kind text generated always as (case when ended_at is null then kind end) stored;
drop index campaign_hold_open;
create unique index campaign_hold_open on campaign_hold (customer_id, open_kind);
"""
