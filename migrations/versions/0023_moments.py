"""Posts in members' Moments: one call of a platform, who is to publish it, who liked and commented."""

from scrm.migrate import run_sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
-- One call of a platform for the moment of many members: one per run and connection, the index decides.
-- queued -> calling -> making (the platform has a job) -> open (members may publish it) -> done; an unknown outcome is `doubt` until the
-- platform's own list tells, or `uncertain` for good. `ending`: the rest is taken back because somebody wants it so.
create table moment_task (
  id             bigint generated always as identity primary key,
  run_id         bigint not null references campaign_run on delete cascade,
  campaign_id    bigint not null references campaign on delete cascade,
  connection_id  bigint not null references connection on delete cascade,
  state          text not null default 'queued' check (state in
    ('queued', 'calling', 'doubt', 'making', 'open', 'done', 'failed', 'uncertain', 'cancelled')),
  n              int not null,
  text           text not null default '',
  job_id         text,
  moment_id      text,
  due_at         timestamptz not null,
  attempts       int not null default 0,
  called_at      timestamptz,
  made_at        timestamptz,
  look_at        timestamptz,
  ending_at      timestamptz,
  withdrawn_at   timestamptz,
  reason         jsonb,
  lease_until    timestamptz,
  created_at     timestamptz not null,
  finished_at    timestamptz,
  unique (run_id, connection_id)
);
create unique index moment_task_platform on moment_task (connection_id, moment_id) where moment_id is not null;
create index moment_task_due on moment_task (due_at) where state in ('queued', 'doubt');
create index moment_task_leased on moment_task (lease_until) where state = 'calling';
create index moment_task_look on moment_task (look_at) where state in ('making', 'open');
create index moment_task_called on moment_task (connection_id, called_at) where called_at is not null;
-- One member's part. `may_see`: customers to whom it could be shown when it began; `shown`: those whom the platform names.
create table moment_post (
  id            bigint generated always as identity primary key,
  task_id       bigint not null references moment_task on delete cascade,
  run_id        bigint not null references campaign_run on delete cascade,
  account_id    bigint not null references account on delete cascade,
  state         text not null default 'planned' check (state in
    ('planned', 'asked', 'published', 'refused', 'withdrawn', 'failed', 'uncertain')),
  may_see       int not null default 0,
  published_at  timestamptz,
  look_at       timestamptz,
  shown         int not null default 0,
  likes         int not null default 0,
  comments      int not null default 0,
  reminders     int not null default 0,
  reminded_at   timestamptz,
  unique (task_id, account_id)
);
create index moment_post_run on moment_post (run_id, id);
create index moment_post_look on moment_post (look_at) where look_at is not null;
-- Who liked or commented, as the platform names them; a contact that is not known yet is found later.
create table moment_reaction (
  id           bigint generated always as identity primary key,
  post_id      bigint not null references moment_post on delete cascade,
  run_id       bigint not null references campaign_run on delete cascade,
  kind         text not null check (kind in ('like', 'comment')),
  external_id  text not null,
  at           timestamptz not null,
  contact_id   bigint references contact on delete set null,
  customer_id  bigint references customer on delete cascade,
  unique (post_id, kind, external_id, at)
);
create index moment_reaction_run on moment_reaction (run_id, id desc);
create index moment_reaction_customer on moment_reaction (customer_id, at desc) where customer_id is not null;
"""
