"""Owners: when customers fall back into the pool, and handing over."""

from scrm.migrate import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
-- When the owner is to be told that the customer falls back (customer.reclaim_at), and by which rule.
alter table customer add column warn_at timestamptz;
alter table customer add column reclaim_rule_id bigint;
create index customer_warn on customer (warn_at, id) where warn_at is not null;
create index owner_history_lost on owner_history (from_id, customer_id, at) where kind in ('dropped', 'reclaimed');

-- Much of what somebody (or an account) had goes to others. `data`: what was asked for, as the page sent it.
create table handover (
  id             bigint generated always as identity primary key,
  kind           text not null check (kind in ('part', 'leaving', 'account')),
  from_agent_id  bigint references agent on delete set null,
  account_id     bigint references account on delete set null,
  to_account_id  bigint references account on delete set null,
  takers         bigint[] not null,
  data           jsonb not null default '{}',
  state          text not null default 'moving' check (state in ('moving', 'waiting', 'done', 'returning', 'returned')),
  client_token   text not null,
  created_by     bigint references agent on delete set null,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  finished_at    timestamptz,
  disabled_at    timestamptz,
  unique (created_by, client_token)
);
create index handover_open on handover (id) where state in ('moving', 'waiting', 'returning');

-- Each thing of a handover. Ours (customers, conversations, tasks, messages that wait) moves at once and ends as `moved`, or as
-- `changed` when somebody changed it first. On a platform (relations, groups) it is asked for: `asking` is written before the call,
-- so that after a crash the platform's own list tells what became of it (`uncertain` until then). `next_at`: when to look again.
create table handover_item (
  id             bigint generated always as identity primary key,
  handover_id    bigint not null references handover on delete cascade,
  kind           text not null check (kind in ('customer', 'conversation', 'task', 'scheduled', 'relation', 'group')),
  object_id      bigint not null,
  customer_id    bigint references customer on delete cascade,
  from_agent_id  bigint references agent on delete set null,
  to_agent_id    bigint references agent on delete set null,
  connection_id  bigint references connection on delete cascade,
  from_external  text not null default '',
  to_external    text not null default '',
  external_id    text not null default '',
  state          text not null default 'queued' check (state in
    ('queued', 'moved', 'changed', 'asking', 'uncertain', 'waiting', 'done', 'refused', 'taker_full', 'failed', 'returned')),
  code           text not null default '',
  reason         jsonb,
  tries          int not null default 0,
  next_at        timestamptz,
  effective_at   timestamptz,
  updated_at     timestamptz not null,
  unique (handover_id, kind, object_id)
);
create index handover_item_state on handover_item (handover_id, state, id);
create index handover_item_due on handover_item (next_at, id) where next_at is not null;
"""
