"""Customers and sales: relations, tags, stages, fields, follow-ups, tasks, owners and the story of each customer."""

from scrm.migrate import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
alter table customer add column company text not null default '';
alter table customer add column position text not null default '';
alter table customer add column email text not null default '';
alter table customer add column address text not null default '';
alter table customer add column gender text not null default '' check (gender in ('', 'male', 'female'));
alter table customer add column source text not null default '';
alter table customer add column stage_id bigint;
alter table customer add column stage_at timestamptz;
alter table customer add column value_fen bigint check (value_fen >= 0);
alter table customer add column tags bigint[] not null default '{}';
alter table customer add column fields jsonb not null default '{}';
alter table customer add column readers bigint[] not null default '{}';
alter table customer add column writers bigint[] not null default '{}';
alter table customer add column owned_at timestamptz;
alter table customer add column pooled_at timestamptz;
alter table customer add column pool_reason text not null default '';
alter table customer add column reclaim_at timestamptz;
alter table customer add column warned_at timestamptz;
alter table customer add column next_due_at timestamptz;
alter table customer add column followed_at timestamptz;
alter table customer add column last_message_at timestamptz;
alter table customer add column last_inbound_at timestamptz;
alter table customer add column created_by bigint references agent on delete set null;
alter table customer add column deleted_at timestamptz;
alter table customer add column deleted_by bigint references agent on delete set null;
alter table customer add column version bigint not null default 1;
alter table contact add column kind text not null default '';
alter table contact add column profile jsonb not null default '{}';
-- Numbers that reach a customer, as digits with the country's code and a plus. A verified one (the customer gave it on a platform that
-- checks it, or answered there) stands for one customer only: the unique index decides between two workers that meet it at once.
create table phone_number (
  id           bigint generated always as identity primary key,
  customer_id  bigint not null references customer on delete cascade,
  phone        text not null check (phone ~ '^\+[0-9]{5,15}$'),
  verified     boolean not null default false,
  source       text not null default '',
  created_at   timestamptz not null default now(),
  unique (customer_id, phone)
);
create unique index phone_number_verified on phone_number (phone) where verified;
create index phone_number_phone on phone_number (phone);

-- The way of a customer from new to won or lost. `data` holds the rules by which customers get there by themselves.
create table stage (
  id           bigint generated always as identity primary key,
  name         text not null,
  kind         text not null default 'open' check (kind in ('open', 'won', 'lost')),
  color        text not null default '',
  position     int not null default 0,
  data         jsonb not null default '{}',
  created_at   timestamptz not null default now(),
  archived_at  timestamptz
);
create unique index stage_name on stage (lower(name)) where archived_at is null;
alter table customer add foreign key (stage_id) references stage on delete set null;

create table stage_history (
  id           bigint generated always as identity primary key,
  customer_id  bigint not null references customer on delete cascade,
  from_id      bigint references stage on delete set null,
  to_id        bigint references stage on delete set null,
  at           timestamptz not null,
  agent_id     bigint references agent on delete set null,
  reason       text not null default '',
  seconds      bigint not null default 0
);
create index stage_history_customer on stage_history (customer_id, id);
create index stage_history_at on stage_history (at, id);

-- Words of the company that sort customers (customer.tags). Of an exclusive group a customer has one tag at most.
create table tag_group (
  id           bigint generated always as identity primary key,
  name         text not null,
  color        text not null default '',
  exclusive    boolean not null default false,
  position     int not null default 0,
  created_at   timestamptz not null default now(),
  archived_at  timestamptz
);
create unique index tag_group_name on tag_group (lower(name)) where archived_at is null;

create table tag (
  id            bigint generated always as identity primary key,
  tag_group_id  bigint not null references tag_group,
  name          text not null,
  position      int not null default 0,
  created_at    timestamptz not null default now(),
  archived_at   timestamptz
);
create unique index tag_name on tag (tag_group_id, lower(name)) where archived_at is null;

-- What a tag (or, without tag_id, a group) is called on a connection. `made_here`: this service made it there and may change it.
create table tag_link (
  id                 bigint generated always as identity primary key,
  connection_id      bigint not null references connection on delete cascade,
  tag_group_id       bigint not null references tag_group on delete cascade,
  tag_id             bigint references tag on delete cascade,
  external_id        text not null,
  made_here          boolean not null default false,
  name_there         text not null default '',
  seen_at            timestamptz,
  unique (connection_id, external_id)
);
create unique index tag_link_tag on tag_link (connection_id, tag_id) where tag_id is not null;
create index tag_link_group on tag_link (tag_group_id);

-- A contact on the list of one of the company's people (an account). What stands here belongs to the relation, not the person. It is
-- never deleted: `state` says who ended it. `wish` is what we want it to be there and have not written yet (a job writes it).
create table contact_link (
  id              bigint generated always as identity primary key,
  contact_id      bigint not null references contact on delete cascade,
  account_id      bigint not null references account on delete cascade,
  state           text not null check (state in ('half', 'active', 'deleted_by_agent', 'deleted_by_contact', 'transferred', 'gone')),
  added_at        timestamptz,
  ended_at        timestamptz,
  remark          text not null default '',
  description     text not null default '',
  company         text not null default '',
  phones          text[] not null default '{}',
  tags            text[] not null default '{}',
  way             text not null default '',
  way_words       jsonb,
  source          text not null default '',
  by_contact      boolean not null default false,
  approved_at     timestamptz,
  wish            jsonb,
  wish_error      jsonb,
  seen_at         timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  unique (contact_id, account_id)
);
create index contact_link_account on contact_link (account_id, state, id);
create index contact_link_wish on contact_link (id) where wish is not null;

-- The company's own people as a platform knows them. Whose account and whose login that is: account.external_id, agent_identity.
create table directory_member (
  id             bigint generated always as identity primary key,
  connection_id  bigint not null references connection on delete cascade,
  external_id    text not null,
  name           text not null default '',
  avatar         text not null default '',
  position       text not null default '',
  departments    text[] not null default '{}',
  status         text not null default 'active' check (status in ('active', 'disabled', 'inactive', 'left')),
  serves         boolean not null default false,
  left_at        timestamptz,
  seen_at        timestamptz,
  updated_at     timestamptz not null default now(),
  unique (connection_id, external_id)
);
create table directory_department (
  connection_id  bigint not null references connection on delete cascade,
  external_id    text not null,
  name           text not null default '',
  parent_id      text not null default '',
  position       int not null default 0,
  primary key (connection_id, external_id)
);

-- Customer groups, kept when they are dissolved, with everybody who ever was in them.
create table group_chat (
  id             bigint generated always as identity primary key,
  connection_id  bigint not null references connection on delete cascade,
  external_id    text not null,
  name           text not null default '',
  notice         text not null default '',
  owner_id       text not null default '',
  admins         text[] not null default '{}',
  owner_state    text not null default 'normal' check (owner_state in ('normal', 'owner_left', 'moving', 'moved')),
  version_there  text not null default '',
  members        int not null default 0,
  contacts       int not null default 0,
  due_at         timestamptz,
  seen_at        timestamptz,
  created_at     timestamptz not null default now(),
  dissolved_at   timestamptz,
  unique (connection_id, external_id)
);
create index group_chat_due on group_chat (connection_id, due_at) where due_at is not null;

create table group_member (
  id             bigint generated always as identity primary key,
  group_chat_id  bigint not null references group_chat on delete cascade,
  external_id    text not null,
  kind           text not null check (kind in ('member', 'contact')),
  contact_id     bigint references contact on delete set null,
  name           text not null default '',
  joined_at      timestamptz,
  scene          text not null default '',
  invited_by     text not null default '',
  source         text not null default '',
  left_at        timestamptz,
  unique (group_chat_id, external_id)
);
create index group_member_contact on group_member (contact_id) where contact_id is not null;

-- Fields that the company adds to its customers (customer.fields, by `key`). `data`: choices and the like, by kind.
create table custom_field (
  id           bigint generated always as identity primary key,
  key          text not null unique check (key ~ '^f[0-9a-z]{1,20}$'),
  name         text not null,
  kind         text not null check (kind in ('text', 'number', 'money', 'date', 'choice', 'multi', 'phone', 'file')),
  data         jsonb not null default '{}',
  required     boolean not null default false,
  position     int not null default 0,
  created_at   timestamptz not null default now(),
  archived_at  timestamptz
);
create unique index custom_field_name on custom_field (lower(name)) where archived_at is null;

-- What was said or agreed, by whom. Corrected by hand within limits, never lost: a deleted one stays.
create table follow_up (
  id               bigint generated always as identity primary key,
  customer_id      bigint not null references customer on delete cascade,
  agent_id         bigint references agent on delete set null,
  kind             text not null,
  text             text not null default '',
  outcome          text not null default '',
  mentions         bigint[] not null default '{}',
  files            jsonb not null default '[]',
  conversation_id  bigint references conversation on delete set null,
  client_token     text,
  at               timestamptz not null,
  created_at       timestamptz not null,
  edited_at        timestamptz,
  deleted_at       timestamptz
);
create unique index follow_up_once on follow_up (agent_id, client_token) where client_token is not null;
create index follow_up_customer on follow_up (customer_id, at desc, id desc);
create index follow_up_agent on follow_up (agent_id, at desc, id desc) where deleted_at is null;
create index follow_up_at on follow_up (at, id) where deleted_at is null;

-- What is to be done next, when and by whom. `repeat`: the next one is made when this one is done.
create table task (
  id             bigint generated always as identity primary key,
  customer_id    bigint references customer on delete cascade,
  agent_id       bigint references agent on delete set null,
  text           text not null,
  kind           text not null default '',
  due_at         timestamptz not null,
  all_day        boolean not null default false,
  state          text not null default 'open' check (state in ('open', 'done', 'cancelled')),
  repeat         jsonb,
  remind_before  int,
  remind_at      timestamptz,
  reminded_at    timestamptz,
  follow_up_id   bigint references follow_up on delete set null,
  done_by_id     bigint references follow_up on delete set null,
  created_by     bigint references agent on delete set null,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  done_at        timestamptz,
  version        bigint not null default 1
);
create index task_agent on task (agent_id, due_at, id) where state = 'open';
create index task_customer on task (customer_id, state, due_at, id);
create index task_due on task (due_at, id) where state = 'open';
create index task_remind on task (remind_at) where state = 'open' and remind_at is not null;
create index task_done on task (agent_id, done_at) where state = 'done';

-- Who had a customer, and why that changed.
create table owner_history (
  id           bigint generated always as identity primary key,
  customer_id  bigint not null references customer on delete cascade,
  from_id      bigint references agent on delete set null,
  to_id        bigint references agent on delete set null,
  at           timestamptz not null,
  kind         text not null check (kind in
    ('created', 'given', 'claimed', 'dropped', 'reclaimed', 'handed_over', 'distributed', 'merged', 'split', 'imported', 'undone')),
  by_id        bigint references agent on delete set null,
  reason       text not null default ''
);
create index owner_history_customer on owner_history (customer_id, id);
create index owner_history_claims on owner_history (to_id, at) where kind = 'claimed';
create index owner_history_at on owner_history (at, id);

-- The story of a customer: everything but the messages, which are read where they stand. Any part of the service adds its lines
-- (customers/timeline.py). `object_kind` and `object_id` lead to what it is about.
create table timeline (
  id               bigint generated always as identity primary key,
  customer_id      bigint not null references customer on delete cascade,
  at               timestamptz not null,
  kind             text not null,
  agent_id         bigint references agent on delete set null,
  account_id       bigint references account on delete set null,
  contact_id       bigint references contact on delete set null,
  object_kind      text not null default '',
  object_id        bigint,
  data             jsonb not null default '{}'
);
create index timeline_customer on timeline (customer_id, at desc, id desc);
create index timeline_kind on timeline (customer_id, kind, at desc, id desc);

-- What managers decide about customers, several ordered lists in one table, as inbox_rule.
create table customer_rule (
  id          bigint generated always as identity primary key,
  kind        text not null check (kind in ('tag', 'stage', 'pool', 'duplicate', 'welcome')),
  name        text not null,
  position    int not null default 0,
  enabled     boolean not null default true,
  data        jsonb not null,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  deleted_at  timestamptz
);
create index customer_rule_order on customer_rule (kind, position, id) where deleted_at is null;

create index customer_owner on customer (owner_id, id desc) where owner_id is not null and deleted_at is null;
create index customer_pool on customer (pooled_at, id) where owner_id is null and deleted_at is null;
create index customer_reclaim on customer (reclaim_at, id) where reclaim_at is not null;
create index customer_due on customer (owner_id, next_due_at, id) where next_due_at is not null;
create index customer_tags on customer using gin (tags) where tags <> '{}';
create index customer_shared on customer using gin ((readers || writers)) where readers <> '{}' or writers <> '{}';
create index customer_merged on customer (merged_into) where merged_into is not null;
create index customer_deleted on customer (deleted_at desc, id desc) where deleted_at is not null;
alter table notification add column customer_id bigint references customer on delete cascade;
alter table notification add column task_id bigint references task on delete cascade;
"""
