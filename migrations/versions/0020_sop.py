"""Plans of following up: steps by days since something happened with a customer."""

from scrm.migrate import run_sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
-- Plans of following up: steps by days since something happened with a customer. What a plan says is kept by version and never changed:
-- who began under a version goes on with it. `enrol_at`: since when those who fit already are being taken in, `enrol_position` the last
-- customer that was looked at. `looked_on`: the last day whose dates were looked at. `problem`: why the service itself switched it off.
alter table task add column words text not null default '';
create table sop (
  id              bigint generated always as identity primary key,
  name            text not null,
  enabled         boolean not null default false,
  enabled_at      timestamptz,
  version         bigint not null default 1,
  problem         text not null default '',
  looked_on       date,
  enrol_at        timestamptz,
  enrol_position  bigint not null default 0,
  client_token    text,
  created_by      bigint references agent on delete set null,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  deleted_at      timestamptz
);
create unique index sop_token on sop (created_by, client_token);
create index sop_newest on sop (created_at desc, id desc) where deleted_at is null;
create table sop_version (
  sop_id   bigint not null references sop on delete cascade,
  version  bigint not null,
  data     jsonb not null,
  by_id    bigint references agent on delete set null,
  at       timestamptz not null,
  primary key (sop_id, version)
);
-- A customer on the way through a plan. `occasion` names what began it, so that what is told twice begins once; and nobody is in one plan
-- twice at a time. `next_step` is done at `next_at`; `acted_at`: when the first was done.
create table sop_entry (
  id           bigint generated always as identity primary key,
  sop_id       bigint not null references sop on delete cascade,
  version      bigint not null,
  customer_id  bigint not null references customer on delete cascade,
  occasion     text not null,
  account_id   bigint references account on delete set null,
  state        text not null default 'under_way' check (state in ('under_way', 'done', 'stopped')),
  reason       text not null default '',
  on_reply     text not null check (on_reply in ('any', 'after_step', 'never')),
  began_at     timestamptz not null,
  next_step    int not null default 0,
  next_at      timestamptz not null,
  acted_at     timestamptz,
  by_id        bigint references agent on delete set null,
  stopped_by   bigint references agent on delete set null,
  created_at   timestamptz not null,
  ended_at     timestamptz,
  open_sop     bigint generated always as (case when state = 'under_way' then sop_id end) stored,
  unique (customer_id, occasion)
);
create unique index sop_entry_open on sop_entry (customer_id, open_sop);
create trigger sop_entry_follows_merge before insert on sop_entry for each row execute function follow_merged_customer();
create index sop_entry_due on sop_entry (sop_id, next_at, id) where state = 'under_way';
create index sop_entry_page on sop_entry (sop_id, id);
create index sop_entry_state on sop_entry (sop_id, state, reason);
-- What was done of a step, or why not. A message that could not be sent and became a task for the rep is `task` with the reason.
create table sop_step (
  id               bigint generated always as identity primary key,
  entry_id         bigint not null references sop_entry on delete cascade,
  sop_id           bigint not null,
  version          bigint not null,
  customer_id      bigint not null references customer on delete cascade,
  n                int not null,
  kind             text not null check (kind in ('task', 'message')),
  state            text not null check (state in ('task', 'sending', 'sent', 'failed', 'uncertain', 'skipped')),
  reason           text not null default '',
  due_at           timestamptz not null,
  at               timestamptz not null,
  agent_id         bigint references agent on delete set null,
  task_id          bigint references task on delete set null,
  conversation_id  bigint references conversation on delete set null,
  title            text not null default '',
  text             text not null default '',
  words            text not null default '',
  replied_at       timestamptz,
  unique (entry_id, n)
);
create trigger sop_step_follows_merge before insert on sop_step for each row execute function follow_merged_customer();
create index sop_step_sending on sop_step (id) where state = 'sending';
create index sop_step_customer on sop_step (customer_id, at desc);
create index sop_step_results on sop_step (sop_id, version, n, state);
"""
