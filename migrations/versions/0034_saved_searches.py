"""Searches that people keep, with alerts on what is new."""

from scrm.migrate import run_sql

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
create table audit_search (
  id            bigint generated always as identity primary key,
  agent_id      bigint not null references agent on delete cascade,
  name          text not null,
  filter        jsonb not null,
  alerts        boolean not null,
  severity      text not null check (severity in ('low', 'medium', 'high')),
  last_id       bigint not null,
  found         bigint not null default 0,
  found_at      timestamptz,
  client_token  text not null,
  created_at    timestamptz not null,
  deleted_at    timestamptz,
  unique (agent_id, client_token)
);
create index audit_search_due on audit_search (last_id, id) where alerts and deleted_at is null;
"""
