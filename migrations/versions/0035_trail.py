"""Reasons for looking at what is not one's own; the trail refuses changes also to those who play the part of a replica."""

from scrm.migrate import run_sql

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
create table reason_given (
  agent_id   bigint not null references agent on delete cascade,
  act        text not null,
  object_id  bigint not null default 0,
  reason     text not null,
  given_at   timestamptz not null,
  until      timestamptz not null,
  primary key (agent_id, act, object_id)
);
alter table audit_event enable always trigger audit_event_append_only;
"""
