"""Codes that customers scan, greetings of new contacts, and notices as cards."""

from scrm.migrate import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
create table contact_code (
  id             bigint generated always as identity primary key,
  connection_id  bigint not null references connection on delete cascade,
  name           text not null,
  campaign       text not null default '',
  source         text not null,
  accounts       bigint[] not null,
  skip_verify    boolean not null default true,
  remark         text not null default '',
  tags           bigint[] not null default '{}',
  stage_id       bigint references stage on delete set null,
  state          text not null default 'making' check (state in ('making', 'made', 'changing', 'failed')),
  doubt          boolean not null default false,
  reason         jsonb,
  external_id    text not null default '',
  picture        text not null default '',
  version        bigint not null default 1,
  made_version   bigint not null default 0,
  came           bigint not null default 0,
  client_token   text unique,
  created_by     bigint references agent on delete set null,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  archived_at    timestamptz,
  unique (connection_id, source)
);
create index contact_code_list on contact_code (id desc) where archived_at is null;

create table code_arrival (
  id               bigint generated always as identity primary key,
  contact_code_id  bigint not null references contact_code on delete cascade,
  contact_link_id  bigint not null references contact_link on delete cascade,
  at               timestamptz not null,
  unique (contact_link_id, contact_code_id)
);
create index code_arrival_code on code_arrival (contact_code_id, at desc, id desc);
alter table contact_link add column counted text not null default '';
create index contact_link_came on contact_link (id) where source <> '' and counted <> source;

create table welcome (
  id               bigint generated always as identity primary key,
  name             text not null default '',
  contact_code_id  bigint unique references contact_code on delete cascade,
  accounts         bigint[] not null default '{}',
  teams            bigint[] not null default '{}',
  everybody        boolean not null default false,
  content          jsonb not null,
  hours            jsonb,
  off              jsonb,
  enabled          boolean not null default true,
  prepared_at      timestamptz,
  prepare_error    jsonb,
  version          bigint not null default 1,
  created_at       timestamptz not null,
  updated_at       timestamptz not null
);
create unique index welcome_everybody on welcome (everybody) where everybody;

create table urgent_event (
  inbound_event_id  bigint primary key references inbound_event on delete cascade,
  connection_id     bigint not null
);

create table greeting (
  id               bigint generated always as identity primary key,
  connection_id    bigint not null references connection on delete cascade,
  welcome_code     text not null,
  event            text not null,
  account_channel  text not null default '',
  account_key      text not null default '',
  contact_key      text not null default '',
  account_id       bigint references account on delete set null,
  contact_id       bigint references contact on delete set null,
  contact_code_id  bigint references contact_code on delete set null,
  welcome_id       bigint references welcome on delete set null,
  content          jsonb not null default '{}',
  text             text not null default '',
  state            text not null check (state in
    ('queued', 'sending', 'sent', 'already', 'late', 'refused', 'uncertain', 'none')),
  reason           jsonb,
  at               timestamptz not null,
  until            timestamptz not null,
  due_at           timestamptz not null,
  attempts         int not null default 0,
  doubt            boolean not null default false,
  lease_until      timestamptz,
  lease_token      uuid,
  finished_at      timestamptz,
  told_at          timestamptz,
  created_at       timestamptz not null,
  unique (connection_id, welcome_code)
);
create index greeting_due on greeting (until) where state in ('queued', 'sending');
create index greeting_untold on greeting (id) where told_at is null;
create index greeting_code on greeting (contact_code_id, id desc) where contact_code_id is not null;

create table notice_card (
  id             bigint generated always as identity primary key,
  agent_id       bigint not null references agent on delete cascade,
  connection_id  bigint not null references connection on delete cascade,
  external_id    text not null,
  title          text not null,
  text           text not null,
  url            text not null,
  notices        int not null,
  state          text not null default 'queued' check (state in ('queued', 'sent', 'unreached', 'failed', 'uncertain')),
  reason         jsonb,
  created_at     timestamptz not null,
  tried_at       timestamptz,
  sent_at        timestamptz
);
create index notice_card_agent on notice_card (agent_id, created_at);
alter table notification add column card text not null default 'old'
  check (card in ('new', 'carded', 'off', 'read', 'seen', 'none', 'old'));
alter table notification alter column card set default 'new';
alter table notification add column card_id bigint references notice_card on delete set null;
create index notification_card_new on notification (agent_id, id) where card = 'new';
alter table agent_identity add column card_error jsonb;
alter table agent_identity add column card_error_at timestamptz;
"""
