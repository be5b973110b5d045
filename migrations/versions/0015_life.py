"""Campaigns: the writer's token, how many people it was for when it was submitted, and why a second person was needed."""

from scrm.migrate import run_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
alter table campaign add column client_token text;
alter table campaign add column recipients bigint;
alter table campaign add column approval text not null default '' check (approval in ('', 'size', 'role'));
create unique index campaign_token on campaign (created_by, client_token);
"""
