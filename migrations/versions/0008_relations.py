"""Relations with platforms: numbered readings, what is to be looked at, comparisons of everything, wishes in their order."""

from scrm.migrate import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
-- Numbers of looks at a platform, drawn before the question leaves: what was asked later is newer, whichever answer comes first.
create sequence reading_no;
alter table contact_link add column read_no bigint not null default 0;
alter table contact_link add column wish_no bigint not null default 0;
alter table contact_link add column wish_tries int not null default 0;
alter table contact_link add column wish_due_at timestamptz;
create index contact_link_wish_due on contact_link (wish_due_at) where wish is not null;
create index contact_link_tags on contact_link using gin (tags) where tags <> '{}';
alter table tag_link add column order_there int not null default 0;
alter table tag_link add column read_no bigint not null default 0;
alter table tag_link add column problem jsonb;
alter table group_chat add column read_no bigint not null default 0;
create index group_chat_newest on group_chat (id desc);
create index group_member_stranger on group_member (external_id) where contact_id is null and kind = 'contact';

-- What is to be looked at on a platform: something rang, or a comparison found it missing. `rings` counts, so that a ring during a
-- look is not forgotten; `due_at` lies in the future while somebody looks.
create table sync_due (
  connection_id  bigint not null references connection on delete cascade,
  kind           text not null check (kind in ('contact', 'group', 'tags', 'directory')),
  external_id    text not null default '',
  rings          bigint not null default 1,
  due_at         timestamptz not null,
  tries          int not null default 0,
  primary key (connection_id, kind, external_id)
);
create index sync_due_next on sync_due (connection_id, kind, due_at);

-- A comparison of everything, one at a time on a connection. It moves by steps and pages: `place` changes in the transaction of the
-- rows that a page brought. `first_no`: relations that were not read since, and should have been, are looked at one by one.
create table sync_run (
  id             bigint generated always as identity primary key,
  connection_id  bigint not null references connection on delete cascade,
  cause          text not null check (cause in ('first', 'night', 'hand')),
  by_id          bigint references agent on delete set null,
  state          text not null default 'running' check (state in ('running', 'done', 'failed')),
  step           text not null default 'directory',
  place          jsonb not null default '{}',
  counts         jsonb not null default '{}',
  first_no       bigint not null,
  error          jsonb,
  tries          int not null default 0,
  due_at         timestamptz not null,
  lease_until    timestamptz,
  lease_token    uuid,
  started_at     timestamptz not null,
  updated_at     timestamptz not null,
  finished_at    timestamptz
);
create unique index sync_run_one on sync_run (connection_id) where state = 'running';
create index sync_run_newest on sync_run (connection_id, id desc);
"""
