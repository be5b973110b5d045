-- The whole database, for people to read and for new installs. Migrations lead to exactly this; a test compares the two.
-- Keys are bigint identities, times timestamptz in UTC, money integer fen, states text with a check.
-- Times and orders that matter are explained where they stand.

-- ---------------------------------------------------------------- people who work here

create table team (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  created_at  timestamptz not null default now()
);

-- What somebody may do and on which rows. The permissions of built-in roles are those of the program (null here).
create table role (
  key          text primary key check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
  name         text not null default '',
  permissions  text[],
  reach        text check (reach in ('own', 'team', 'all')),
  created_at   timestamptz not null default now(),
  check ((permissions is null) = (reach is null))
);
insert into role (key) values ('rep'), ('manager'), ('marketer'), ('auditor'), ('admin');

create table agent (
  id             bigint generated always as identity primary key,
  login          text not null,
  name           text not null,
  avatar         text not null default '',
  role           text not null references role,
  password_hash  text not null,
  language       text not null default 'zh-CN' check (language in ('zh-CN', 'en')),
  disabled_at    timestamptz,
  created_at     timestamptz not null default now(),
  status             text not null default 'online' check (status in ('online', 'busy', 'away')),
  status_at          timestamptz not null default now(),
  capacity           int not null default 0 check (capacity >= 0),
  preferences        jsonb not null default '{}',
  seen_at            timestamptz,
  password_at        timestamptz not null default now(),
  away_reason        text not null default '' check (away_reason in ('', 'absent', 'signed_out')),
  password_due       boolean not null default false
);
create unique index agent_login on agent (lower(login));

create table team_member (
  team_id   bigint not null references team on delete cascade,
  agent_id  bigint not null references agent on delete cascade,
  primary key (team_id, agent_id)
);
create index team_member_agent on team_member (agent_id);

-- A browser that is signed in. Only the hash of its cookie is kept.
create table session (
  id          bigint generated always as identity primary key,
  agent_id    bigint not null references agent on delete cascade,
  token_hash  bytea not null unique,
  csrf_token  text not null,
  user_agent  text not null default '',
  address     text not null default '',
  created_at  timestamptz not null default now(),
  seen_at     timestamptz not null default now(),
  expires_at  timestamptz not null,
  ended_at    timestamptz,
  pending      text not null default '' check (pending in ('', 'second')),
  way          text not null default 'password' check (way in ('password', 'platform'))
);
create index session_agent on session (agent_id) where ended_at is null;

create table api_token (
  id          bigint generated always as identity primary key,
  agent_id    bigint not null references agent on delete cascade,
  name        text not null,
  token_hash  bytea not null unique,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz,
  used_at     timestamptz,
  ended_at    timestamptz,
  permissions        text[]
);
create index api_token_agent on api_token (agent_id) where ended_at is null;

-- Who did what in this system. Append-only: a trigger refuses changes.
create table audit_event (
  id           bigint generated always as identity primary key,
  at           timestamptz not null default now(),
  agent_id     bigint references agent,
  action       text not null,
  object_kind  text not null default '',
  object_id    bigint,
  address      text not null default '',
  detail       jsonb not null default '{}'
);
create index audit_event_agent on audit_event (agent_id, id desc);
create index audit_event_object on audit_event (object_kind, object_id, id desc);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger audit_event_append_only before update or delete or truncate on audit_event
  for each statement execute function refuse_change();

-- ---------------------------------------------------------------- platforms

-- The credentials of one app on a platform. `secrets` and `state` are encrypted with the key from the configuration.
create table connection (
  id           bigint generated always as identity primary key,
  provider     text not null,
  key          text not null unique check (key ~ '^[A-Za-z0-9_-]{8,64}$'),
  name         text not null,
  settings     jsonb not null default '{}',
  secrets      bytea not null,
  state        bytea,
  paused_at    timestamptz,
  version      bigint not null default 1,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now()
);

-- How each connection is doing, kept apart from its configuration because it changes all the time.
create table connection_health (
  connection_id   bigint primary key references connection on delete cascade,
  last_event_at   timestamptz,
  last_sent_at    timestamptz,
  last_error_at   timestamptz,
  last_error      jsonb,
  attention       jsonb,
  token_until     timestamptz,
  person_by       timestamptz,
  checked_at      timestamptz
);

-- One identity that customers talk to.
create table account (
  id              bigint generated always as identity primary key,
  connection_id   bigint not null references connection on delete cascade,
  channel         text not null,
  external_id     text not null,
  name            text not null,
  avatar          text not null default '',
  welcome_text    text not null default '',
  team_id         bigint references team on delete set null,
  position        int not null default 0,
  disabled_at     timestamptz,
  created_at      timestamptz not null default now(),
  unique (connection_id, channel, external_id)
);

-- The adapter's verbatim input: stored before the platform gets its answer, understood afterwards.
create table inbound_event (
  id             bigint generated always as identity primary key,
  connection_id  bigint not null references connection on delete cascade,
  source         text not null,
  dedupe_key     text not null,
  body           bytea not null,
  received_at    timestamptz not null default now(),
  state          text not null default 'new' check (state in ('new', 'done', 'ignored', 'unrecognised', 'failed')),
  attempts       int not null default 0,
  error          text,
  handled_at     timestamptz,
  unique (connection_id, dedupe_key)
);
create index inbound_event_new on inbound_event (connection_id, id) where state = 'new';
create index inbound_event_trouble on inbound_event (state, id desc) where state in ('failed', 'unrecognised');

-- Streams read by cursor. Due when it rang since the last pull finished, or when the time for a look has come.
create table pull_stream (
  id             bigint generated always as identity primary key,
  connection_id  bigint not null references connection on delete cascade,
  stream         text not null,
  cursor         text not null default '',
  token          text not null default '',
  rings          bigint not null default 0,
  answered       bigint not null default 0,
  due_at         timestamptz not null default now(),
  lease_until    timestamptz,
  lease_token    uuid,
  failures       int not null default 0,
  last_error     text,
  pulled_at      timestamptz,
  unique (connection_id, stream)
);
create index pull_stream_rung on pull_stream (id) where rings > answered;
create index pull_stream_due on pull_stream (due_at);

-- What happened on a platform besides messages, for the parts of the service that care.
create table platform_event (
  id                bigint generated always as identity primary key,
  inbound_event_id  bigint not null,
  connection_id     bigint not null references connection on delete cascade,
  name              text not null,
  at                timestamptz not null,
  account_id        bigint references account on delete cascade,
  contact_id        bigint,
  data              jsonb not null default '{}',
  ordinal           int not null default 0,
  unique (inbound_event_id, ordinal)
);
create index platform_event_name on platform_event (connection_id, name, id desc);
create index platform_event_contact on platform_event (contact_id, id desc) where contact_id is not null;

-- ---------------------------------------------------------------- customers

create table customer (
  id           bigint generated always as identity primary key,
  name         text not null default '',
  avatar       text not null default '',
  phone        text not null default '',
  city         text not null default '',
  remark       text not null default '',
  owner_id     bigint references agent on delete set null,
  merged_into  bigint references customer,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  company        text not null default '',
  position       text not null default '',
  email          text not null default '',
  address        text not null default '',
  gender         text not null default '' check (gender in ('', 'male', 'female')),
  source         text not null default '',
  stage_id       bigint,
  stage_at       timestamptz,
  value_fen      bigint check (value_fen >= 0),
  tags           bigint[] not null default '{}',
  fields         jsonb not null default '{}',
  readers        bigint[] not null default '{}',
  writers        bigint[] not null default '{}',
  owned_at       timestamptz,
  pooled_at      timestamptz,
  pool_reason    text not null default '',
  reclaim_at     timestamptz,
  warned_at      timestamptz,
  next_due_at    timestamptz,
  followed_at    timestamptz,
  last_message_at  timestamptz,
  last_inbound_at  timestamptz,
  created_by     bigint references agent on delete set null,
  deleted_at     timestamptz,
  deleted_by     bigint references agent on delete set null,
  version        bigint not null default 1
);

-- Which customer a union id stands for: the primary key decides between two workers that meet it at once.
create table customer_union (
  union_id     text primary key,
  customer_id  bigint not null references customer
);
create index customer_union_customer on customer_union (customer_id);

-- A person as one connection knows them.
create table contact (
  id               bigint generated always as identity primary key,
  connection_id    bigint not null references connection on delete cascade,
  external_id      text not null,
  customer_id      bigint not null references customer,
  name             text not null default '',
  avatar           text not null default '',
  union_id         text,
  profile_due_at   timestamptz,
  profile_tries    int not null default 0,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  kind             text not null default '',
  profile          jsonb not null default '{}',
  unique (connection_id, external_id)
);
create index contact_customer on contact (customer_id);
create index contact_profile_due on contact (connection_id, profile_due_at) where profile_due_at is not null;

-- ---------------------------------------------------------------- conversations

-- The thread between one account and one contact, or one group chat.
-- `last_seq` numbers messages, without gaps. `version` numbers changes: a message carries the version of its last change, so
-- "what is new since version n" is one range scan and is exact, because both are given out under this row's lock.
create table conversation (
  id                 bigint generated always as identity primary key,
  account_id         bigint not null references account on delete cascade,
  contact_id         bigint references contact on delete cascade,
  group_key          text not null default '',
  group_name         text not null default '',
  status             text not null default 'open' check (status in ('open', 'snoozed', 'closed')),
  assignee_id        bigint references agent on delete set null,
  last_seq           bigint not null default 0,
  version            bigint not null default 0,
  unread             int not null default 0 check (unread >= 0),
  read_seq           bigint not null default 0,
  waiting_since      timestamptz,
  last_message_at    timestamptz not null default now(),
  preview            text not null default '',
  preview_kind       text not null default '',
  preview_direction  text not null default '',
  window_kind        text not null default '',
  window_opened_at   timestamptz,
  window_expires_at  timestamptz,
  window_quota       int not null default 0,
  window_used        int not null default 0,
  window_key         jsonb not null default '{}',
  service_state      text not null default '',
  service_reason     jsonb,
  can_send           boolean not null default true,
  closed_at          timestamptz,
  created_at         timestamptz not null default now(),
  collaborators      bigint[] not null default '{}',
  labels             bigint[] not null default '{}',
  assigned_at        timestamptz,
  transfer_to        bigint references agent on delete set null,
  snoozed_until      timestamptz,
  route_state        text not null default '' check (route_state in ('', 'turn', 'due', 'queued')),
  language           text not null default '',
  sla_policy_id      bigint,
  sla_kind           text not null default '' check (sla_kind in ('', 'first', 'next')),
  sla_due_at         timestamptz,
  sla_breached_at    timestamptz,
  answered_at        timestamptz,
  sla_look_at        timestamptz,
  survey_until       timestamptz
);
create unique index conversation_with_contact on conversation (account_id, contact_id) where group_key = '';
create unique index conversation_with_group on conversation (account_id, group_key) where group_key <> '';
create index conversation_contact on conversation (contact_id);
create index conversation_list on conversation (account_id, status, last_message_at desc, id desc);
create index conversation_mine on conversation (assignee_id, account_id, status, last_message_at desc, id desc)
  where assignee_id is not null;
create index conversation_mine_unread on conversation (assignee_id, account_id, last_message_at desc, id desc)
  where assignee_id is not null and unread > 0 and status = 'open';
create index conversation_mine_waiting on conversation (assignee_id, account_id, waiting_since, id)
  where assignee_id is not null and waiting_since is not null and status = 'open';
create index conversation_unassigned on conversation (account_id, last_message_at desc, id desc)
  where assignee_id is null and status = 'open';
create index conversation_unread on conversation (account_id, last_message_at desc, id desc)
  where unread > 0 and status = 'open';
create index conversation_waiting on conversation (account_id, waiting_since, id)
  where waiting_since is not null and status = 'open';

create index conversation_collaborator on conversation using gin (collaborators) where collaborators <> '{}';
create index conversation_label on conversation using gin (labels) where labels <> '{}';
create index conversation_snoozed on conversation (snoozed_until) where status = 'snoozed' and snoozed_until is not null;
create index conversation_route on conversation (id) where route_state in ('turn', 'due');
create index conversation_route_queued on conversation (waiting_since, id) where route_state = 'queued';
create index conversation_sla on conversation (sla_look_at) where sla_look_at is not null;

create table message (
  id                   bigint generated always as identity primary key,
  conversation_id      bigint not null references conversation on delete cascade,
  seq                  bigint not null,
  version              bigint not null,
  direction            text not null check (direction in ('in', 'out', 'note')),
  kind                 text not null,
  text                 text not null default '',
  content              jsonb not null default '{}',
  state                text not null check (state in ('received', 'queued', 'sending', 'sent', 'failed', 'uncertain')),
  reason               jsonb,
  sender_kind          text not null check (sender_kind in ('customer', 'agent', 'bot', 'app', 'system')),
  sender_agent_id      bigint references agent on delete set null,
  sender_id            text not null default '',
  sender_name          text not null default '',
  platform_message_id  text,
  client_token         text,
  sent_at              timestamptz not null,
  created_at           timestamptz not null default now(),
  recalled_at          timestamptz,
  recalled_by          text check (recalled_by in ('customer', 'agent')),
  inbound_event_id     bigint,
  unique (conversation_id, seq)
);
create unique index message_platform_id on message (conversation_id, platform_message_id)
  where platform_message_id is not null;
create unique index message_client_token on message (conversation_id, client_token) where client_token is not null;
create index message_changes on message (conversation_id, version);
create index message_in_flight on message (conversation_id, id)
  where state in ('queued', 'sending', 'uncertain');

-- A recall that came before its message.
create table early_recall (
  conversation_id      bigint not null references conversation on delete cascade,
  platform_message_id  text not null,
  recalled_at          timestamptz not null,
  recalled_by          text not null check (recalled_by in ('customer', 'agent')),
  primary key (conversation_id, platform_message_id)
);

-- Bytes, addressed by their SHA-256, lie in the blob store; this is what is known about them.
create table blob (
  sha256      text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  size        bigint not null,
  mime        text not null,
  stored_at   timestamptz not null default now()
);

-- A file of a message, or one that a rep has uploaded and not sent yet (message_id is null).
create table attachment (
  id            bigint generated always as identity primary key,
  message_id    bigint references message on delete cascade,
  position      int not null default 0,
  kind          text not null,
  state         text not null check (state in ('pending', 'stored', 'failed', 'expired')),
  handle        jsonb not null default '{}',
  sha256        text references blob,
  name          text not null default '',
  mime          text not null default '',
  size          bigint not null default 0,
  width         int not null default 0,
  height        int not null default 0,
  duration_ms   int not null default 0,
  reason        jsonb,
  expires_at    timestamptz,
  uploaded_by   bigint references agent on delete set null,
  created_at    timestamptz not null default now()
);
create index attachment_message on attachment (message_id, position);
create index attachment_unsent on attachment (created_at) where message_id is null;

-- A send (or recall) that has to leave. A row exists from the moment the message does until the outcome is known.
-- lane 0 is the fast lane: greetings whose code lives for seconds. doubt: some attempt may have arrived, so that what fails
-- later is not certainly unsent.
create table outbox (
  id               bigint generated always as identity primary key,
  message_id       bigint not null references message on delete cascade,
  conversation_id  bigint not null references conversation on delete cascade,
  connection_id    bigint not null references connection on delete cascade,
  act              text not null check (act in ('send', 'recall')),
  lane             int not null default 1,
  idempotency_key  text not null,
  payload          jsonb not null default '{}',
  state            text not null default 'queued' check (state in ('queued', 'sending')),
  attempts         int not null default 0,
  doubt            boolean not null default false,
  due_at           timestamptz not null default now(),
  give_up_at       timestamptz,
  lease_until      timestamptz,
  lease_token      uuid,
  created_at       timestamptz not null default now(),
  unique (message_id, act)
);
create index outbox_due on outbox (lane, due_at) where state = 'queued';
create index outbox_leased on outbox (lease_until) where state = 'sending';
create index outbox_conversation on outbox (conversation_id, id);

-- Other durable work.
create table job (
  id           bigint generated always as identity primary key,
  kind         text not null,
  dedupe_key   text not null,
  payload      jsonb not null default '{}',
  state        text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
  attempts     int not null default 0,
  run_at       timestamptz not null default now(),
  lease_until  timestamptz,
  lease_token  uuid,
  error        text,
  created_at   timestamptz not null default now(),
  finished_at  timestamptz,
  unique (kind, dedupe_key)
);
create index job_due on job (run_at) where state = 'queued';
create index job_leased on job (lease_until) where state = 'running';
create index job_finished on job (finished_at) where state = 'done';
create index job_failed on job (kind, id desc) where state = 'failed';

-- Counts for the inbox, exact and at constant cost: a trigger adds the difference of each statement as new rows (no two
-- writers ever wait for one another), readers add them up, and a job folds them together now and then. A row with a helper_id
-- counts conversations that this agent helps with; such a conversation is counted without one as well.
create table conversation_tally (
  id           bigint generated always as identity primary key,
  account_id   bigint not null,
  assignee_id  bigint,
  status       text not null,
  unread       boolean not null,
  waiting      boolean not null,
  n            bigint not null,
  helper_id    bigint
);

create function tally_inserted() returns trigger language plpgsql as $$
begin
  insert into conversation_tally (account_id, assignee_id, status, unread, waiting, helper_id, n)
  select account_id, assignee_id, status, unread > 0, waiting_since is not null, helper_id, count(*)
  from (
    select account_id, assignee_id, status, unread, waiting_since, null::bigint as helper_id from new_rows
    union all
    select r.account_id, r.assignee_id, r.status, r.unread, r.waiting_since, h.id from new_rows r
      cross join lateral (select distinct unnest(r.collaborators) as id) h where r.collaborators <> '{}'
  ) added
  group by 1, 2, 3, 4, 5, 6;
  return null;
end $$;

create function tally_updated() returns trigger language plpgsql as $$
begin
  insert into conversation_tally (account_id, assignee_id, status, unread, waiting, helper_id, n)
  select account_id, assignee_id, status, unread, waiting, helper_id, sum(n)
  from (
    select account_id, assignee_id, status, unread > 0 as unread, waiting_since is not null as waiting,
      null::bigint as helper_id, 1 as n from new_rows
    union all
    select account_id, assignee_id, status, unread > 0, waiting_since is not null, null, -1 from old_rows
    union all
    select r.account_id, r.assignee_id, r.status, r.unread > 0, r.waiting_since is not null, h.id, 1 from new_rows r
      cross join lateral (select distinct unnest(r.collaborators) as id) h where r.collaborators <> '{}'
    union all
    select r.account_id, r.assignee_id, r.status, r.unread > 0, r.waiting_since is not null, h.id, -1 from old_rows r
      cross join lateral (select distinct unnest(r.collaborators) as id) h where r.collaborators <> '{}'
  ) change
  group by 1, 2, 3, 4, 5, 6 having sum(n) <> 0;
  return null;
end $$;

create function tally_deleted() returns trigger language plpgsql as $$
begin
  insert into conversation_tally (account_id, assignee_id, status, unread, waiting, helper_id, n)
  select account_id, assignee_id, status, unread > 0, waiting_since is not null, helper_id, -count(*)
  from (
    select account_id, assignee_id, status, unread, waiting_since, null::bigint as helper_id from old_rows
    union all
    select r.account_id, r.assignee_id, r.status, r.unread, r.waiting_since, h.id from old_rows r
      cross join lateral (select distinct unnest(r.collaborators) as id) h where r.collaborators <> '{}'
  ) gone
  group by 1, 2, 3, 4, 5, 6;
  return null;
end $$;

create trigger conversation_tally_insert after insert on conversation
  referencing new table as new_rows for each statement execute function tally_inserted();
create trigger conversation_tally_update after update on conversation
  referencing old table as old_rows new table as new_rows for each statement execute function tally_updated();
create trigger conversation_tally_delete after delete on conversation
  referencing old table as old_rows for each statement execute function tally_deleted();

-- ---------------------------------------------------------------- shared by many parts

-- What the company decides once, each value checked by the program that reads it.
create table company_setting (
  key         text primary key,
  value       jsonb not null,
  updated_by  bigint references agent on delete set null,
  updated_at  timestamptz not null default now()
);

-- What happened to a conversation besides its messages: the source of every figure, and of "why did it go to whom". Append-only in
-- practice. `seq` is the message after which it happened, `version` as in message.
create table conversation_event (
  id               bigint generated always as identity primary key,
  conversation_id  bigint not null references conversation on delete cascade,
  account_id       bigint not null,
  seq              bigint not null,
  version          bigint not null,
  at               timestamptz not null,
  kind             text not null,
  agent_id         bigint references agent on delete set null,
  assignee_id      bigint references agent on delete set null,
  data             jsonb not null default '{}',
  counted          boolean not null default false
);
create index conversation_event_place on conversation_event (conversation_id, seq, id);
create index conversation_event_changes on conversation_event (conversation_id, version);
create index conversation_event_at on conversation_event (at, id);
create index conversation_event_new on conversation_event (id) where not counted;
create index conversation_event_answered on conversation_event (conversation_id, at desc)
  where kind = 'answered' and agent_id is not null;

-- What an agent should know of.
create table notification (
  id               bigint generated always as identity primary key,
  agent_id         bigint not null references agent on delete cascade,
  kind             text not null,
  conversation_id  bigint references conversation on delete cascade,
  message_id       bigint references message on delete cascade,
  by_agent_id      bigint references agent on delete set null,
  dedupe_key       text not null,
  data             jsonb not null default '{}',
  created_at       timestamptz not null default now(),
  read_at          timestamptz,
  unique (agent_id, dedupe_key)
);
create index notification_newest on notification (agent_id, id desc);
create index notification_unread on notification (agent_id) where read_at is null;
create index notification_mention on notification (agent_id, conversation_id) where kind = 'mention';

-- What somebody just did, in the form that undoes it.
create table undo_step (
  id          bigint generated always as identity primary key,
  agent_id    bigint not null references agent on delete cascade,
  kind        text not null,
  data        jsonb not null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  undone_at   timestamptz
);
create index undo_step_old on undo_step (expires_at);

-- ---------------------------------------------------------------- answering

-- Answers that are kept: one person's, a team's or the company's. `parts` are sent in order, one message each; a file in them is
-- named by its bytes. `keys` has the shortcut and the title, also in pinyin and in initials, a line each; `search` the words.
create table quick_reply (
  id            bigint generated always as identity primary key,
  reach         text not null check (reach in ('personal', 'team', 'company')),
  owner_id      bigint references agent on delete cascade,
  team_id       bigint references team on delete cascade,
  folder        text not null default '',
  title         text not null,
  shortcut      text not null default '',
  parts         jsonb not null,
  keys          text not null,
  search        text not null,
  uses          bigint not null default 0,
  last_used_at  timestamptz,
  created_by    bigint references agent on delete set null,
  updated_by    bigint references agent on delete set null,
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  deleted_at    timestamptz,
  check ((reach = 'personal') = (owner_id is not null)),
  check ((reach = 'team') = (team_id is not null))
);
create index quick_reply_place on quick_reply (reach, team_id, owner_id, id) where deleted_at is null;

-- How often each person used each: their own come first.
create table quick_reply_use (
  agent_id        bigint not null references agent on delete cascade,
  quick_reply_id  bigint not null references quick_reply on delete cascade,
  uses            bigint not null,
  last_used_at    timestamptz not null,
  primary key (agent_id, quick_reply_id)
);

create table material_folder (
  id          bigint generated always as identity primary key,
  reach       text not null check (reach in ('personal', 'team', 'company')),
  owner_id    bigint references agent on delete cascade,
  team_id     bigint references team on delete cascade,
  parent_id   bigint references material_folder on delete cascade,
  name        text not null,
  created_at  timestamptz not null,
  deleted_at  timestamptz,
  check ((reach = 'personal') = (owner_id is not null)),
  check ((reach = 'team') = (team_id is not null))
);
create index material_folder_place on material_folder (reach, team_id, owner_id, parent_id) where deleted_at is null;

-- Pictures, videos, files, links and mini-programs to send again. For the last two the file is the cover.
create table material (
  id            bigint generated always as identity primary key,
  reach         text not null check (reach in ('personal', 'team', 'company')),
  owner_id      bigint references agent on delete cascade,
  team_id       bigint references team on delete cascade,
  folder_id     bigint references material_folder on delete set null,
  kind          text not null check (kind in ('image', 'voice', 'video', 'file', 'link', 'miniprogram')),
  title         text not null,
  content       jsonb not null default '{}',
  sha256        text references blob,
  name          text not null default '',
  mime          text not null default '',
  size          bigint not null default 0,
  width         int not null default 0,
  height        int not null default 0,
  search        text not null,
  uses          bigint not null default 0,
  last_used_at  timestamptz,
  created_by    bigint references agent on delete set null,
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  deleted_at    timestamptz,
  check ((reach = 'personal') = (owner_id is not null)),
  check ((reach = 'team') = (team_id is not null))
);
create index material_place on material (reach, team_id, owner_id, folder_id, id) where deleted_at is null;
-- The same bytes are kept once in each place.
create unique index material_once on material (reach, coalesce(owner_id, 0), coalesce(team_id, 0), sha256)
  where deleted_at is null and kind in ('image', 'voice', 'video', 'file');

-- What somebody typed and has not sent. An emptied one stays for its revision.
create table draft (
  id               bigint generated always as identity primary key,
  agent_id         bigint not null references agent on delete cascade,
  conversation_id  bigint not null references conversation on delete cascade,
  text             text not null,
  revision         bigint not null,
  updated_at       timestamptz not null,
  unique (agent_id, conversation_id)
);
create index draft_kept on draft (agent_id, updated_at desc) where text <> '';

-- Answers that leave later. `parts` as in quick_reply.
create table scheduled_message (
  id               bigint generated always as identity primary key,
  conversation_id  bigint not null references conversation on delete cascade,
  agent_id         bigint not null references agent on delete cascade,
  client_token     text not null,
  due_at           timestamptz not null,
  parts            jsonb not null,
  quick_reply_id   bigint references quick_reply on delete set null,
  state            text not null default 'waiting' check (state in ('waiting', 'sent', 'failed', 'cancelled')),
  reason           jsonb,
  revision         bigint not null default 1,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  done_at          timestamptz,
  unique (conversation_id, client_token)
);
create index scheduled_message_due on scheduled_message (due_at) where state = 'waiting';
create index scheduled_message_open on scheduled_message (conversation_id, due_at) where state in ('waiting', 'failed');

-- Several acts under one name.
create table macro (
  id          bigint generated always as identity primary key,
  reach       text not null check (reach in ('personal', 'team', 'company')),
  owner_id    bigint references agent on delete cascade,
  team_id     bigint references team on delete cascade,
  name        text not null,
  actions     jsonb not null,
  uses        bigint not null default 0,
  created_by  bigint references agent on delete set null,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  deleted_at  timestamptz,
  check ((reach = 'personal') = (owner_id is not null)),
  check ((reach = 'team') = (team_id is not null))
);
create index macro_place on macro (reach, team_id, owner_id, id) where deleted_at is null;

-- A run, so that asking twice is running once. `result` is what was answered.
create table macro_run (
  agent_id      bigint not null references agent on delete cascade,
  client_token  text not null,
  macro_id      bigint not null references macro on delete cascade,
  result        jsonb not null,
  created_at    timestamptz not null,
  primary key (agent_id, client_token)
);
create index macro_run_old on macro_run (created_at);

-- ---------------------------------------------------------------- working together

-- Words of the company that sort conversations (conversation.labels). Put away, they stay where they were used.
create table label (
  id           bigint generated always as identity primary key,
  name         text not null,
  color        text not null,
  position     int not null default 0,
  archived_at  timestamptz,
  created_at   timestamptz not null default now()
);
create unique index label_name on label (lower(name));

-- One colleague asks another to take a conversation over. One question at a time. added_helper: who was asked sees the
-- conversation only because of it.
create table transfer (
  id               bigint generated always as identity primary key,
  conversation_id  bigint not null references conversation on delete cascade,
  from_agent_id    bigint references agent on delete set null,
  to_agent_id      bigint not null references agent on delete cascade,
  note             text not null default '',
  state            text not null default 'waiting' check (state in ('waiting', 'accepted', 'declined', 'cancelled')),
  added_helper     boolean not null default false,
  answer           text not null default '',
  created_at       timestamptz not null default now(),
  decided_at       timestamptz
);
create unique index transfer_waiting on transfer (conversation_id) where state = 'waiting';
create index transfer_asked on transfer (to_agent_id) where state = 'waiting';
create index transfer_conversation on transfer (conversation_id, id desc);

-- ---------------------------------------------------------------- who answers, when, and how well

-- What managers decide about the flow of conversations: several ordered lists in one table. `data` is checked by the program
-- (inbox/rulebook.py). Deleted ones stay, so that a deletion can be undone and old events can be explained.
create table inbox_rule (
  id             bigint generated always as identity primary key,
  kind           text not null check (kind in ('hours', 'assignment', 'sla', 'answer', 'survey')),
  name           text not null,
  position       int not null default 0,
  enabled        boolean not null default true,
  data           jsonb not null,
  last_agent_id  bigint references agent on delete set null,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  deleted_at     timestamptz
);
create index inbox_rule_order on inbox_rule (kind, position, id) where deleted_at is null;

-- Automatic answers that were given: one per kind, person and occasion, whoever asks for it and how often.
create table auto_reply (
  kind             text not null,
  contact_id       bigint not null references contact on delete cascade,
  occasion         text not null,
  conversation_id  bigint not null references conversation on delete cascade,
  at               timestamptz not null,
  primary key (contact_id, kind, occasion)
);
create index auto_reply_conversation on auto_reply (conversation_id);

-- A question after a conversation was closed, and its answer.
create table survey (
  id               bigint generated always as identity primary key,
  conversation_id  bigint not null references conversation on delete cascade,
  account_id       bigint not null,
  contact_id       bigint not null references contact on delete cascade,
  agent_id         bigint references agent on delete set null,
  rule_id          bigint not null references inbox_rule,
  message_id       bigint references message on delete set null,
  occasion         text not null,
  asked_at         timestamptz not null,
  expires_at       timestamptz not null,
  answered_at      timestamptz,
  answer_seq       bigint,
  score            int check (score between 1 and 5),
  comment          text not null default '',
  unique (conversation_id, occasion)
);
create index survey_open on survey (conversation_id, asked_at desc);
create index survey_contact on survey (contact_id, asked_at desc);
create index survey_answered on survey (answered_at) where answered_at is not null;

-- Sums of conversation_event by day (in the company's time zone), account and agent (0: nobody). Lists of seconds are sorted and
-- complete, so that medians of any selection are exact.
create table figure_day (
  day            date not null,
  account_id     bigint not null,
  agent_id       bigint not null,
  opened         int not null default 0,
  reopened       int not null default 0,
  closed         int not null default 0,
  assigned       int not null default 0,
  transferred    int not null default 0,
  queued         int not null default 0,
  sla_started    int not null default 0,
  sla_met        int not null default 0,
  sla_breached   int not null default 0,
  auto_replied   int not null default 0,
  surveys_sent   int not null default 0,
  scores         int[] not null default '{}',
  first_seconds  int[] not null default '{}',
  next_seconds   int[] not null default '{}',
  primary key (day, account_id, agent_id)
);

-- ---------------------------------------------------------------- signing in and rights

-- The app of an authenticator. `last_step` is the step of the last code that was taken: no code works twice.
create table second_factor (
  agent_id      bigint primary key references agent on delete cascade,
  secret        bytea not null,
  last_step     bigint not null default 0,
  created_at    timestamptz not null default now(),
  confirmed_at  timestamptz
);

-- Codes for the day the phone is lost, 80 random bits each; only hashes are kept.
create table recovery_code (
  agent_id   bigint not null references agent on delete cascade,
  code_hash  bytea not null,
  used_at    timestamptz,
  primary key (agent_id, code_hash)
);

-- Hashes of earlier passwords, so that they are not taken again.
create table password_history (
  id             bigint generated always as identity primary key,
  agent_id       bigint not null references agent on delete cascade,
  password_hash  text not null,
  replaced_at    timestamptz not null
);
create index password_history_agent on password_history (agent_id, id desc);

-- Failures in a row, by the hash of a login, whether or not anybody has it: the answer must not tell.
create table sign_in_failure (
  login_hash    bytea primary key,
  failures      int not null,
  since         timestamptz not null,
  locked_until  timestamptz
);

-- Who somebody is on a platform, to sign in there.
create table agent_identity (
  id             bigint generated always as identity primary key,
  agent_id       bigint not null references agent on delete cascade,
  connection_id  bigint not null references connection on delete cascade,
  external_id    text not null,
  created_at     timestamptz not null default now(),
  used_at        timestamptz,
  unique (connection_id, external_id)
);
create index agent_identity_agent on agent_identity (agent_id);

-- Round trips to a platform's sign-in page that came back: none comes back twice.
create table sign_in_trip (
  nonce_hash  bytea primary key,
  used_at     timestamptz not null
);
create index sign_in_trip_old on sign_in_trip (used_at);

-- What went wrong on a connection, an hour and a kind each: a platform that is away cannot fill the table.
create table connection_error (
  connection_id  bigint not null references connection on delete cascade,
  code           text not null,
  hour           timestamptz not null,
  reason         jsonb not null,
  n              bigint not null default 1,
  last_at        timestamptz not null,
  primary key (connection_id, code, hour)
);
create index connection_error_newest on connection_error (connection_id, last_at desc);

create unique index role_name on role (lower(name)) where name <> '';
create index audit_event_at on audit_event (at desc, id desc);
create index audit_event_agent_at on audit_event (agent_id, at desc, id desc);
create index audit_event_action_at on audit_event (action, at desc, id desc);

-- ---------------------------------------------------------------- the list, its views and search

create index conversation_breached on conversation (status, last_message_at desc, id desc) where sla_breached_at is not null;
create index conversation_window on conversation (window_expires_at, id)
  where window_expires_at is not null and status <> 'closed';
create index conversation_sla_due on conversation (sla_due_at, id) where sla_due_at is not null;
create index notification_unread_mention on notification (agent_id, conversation_id)
  where kind = 'mention' and read_at is null;

-- A list that somebody keeps for themselves (team_id is null) or for a team.
create table saved_view (
  id          bigint generated always as identity primary key,
  name        text not null,
  agent_id    bigint references agent on delete cascade,
  team_id     bigint references team on delete cascade,
  filter      jsonb not null,
  position    int not null default 0,
  created_by  bigint references agent on delete set null,
  created_at  timestamptz not null default now(),
  check ((agent_id is null) <> (team_id is null))
);
create index saved_view_agent on saved_view (agent_id, position, id) where agent_id is not null;
create index saved_view_team on saved_view (team_id, position, id) where team_id is not null;

-- Text as it is searched: full-width forms and capitals make no difference.
create function search_fold(text) returns text language sql immutable parallel safe strict
  return lower(normalize($1, NFKC));

-- The pairs of neighbouring characters of a text, each a number: 21 bits a character. Above them stands the block of ids that the
-- row belongs to, so that the newest rows with a frequent word are found without reading all. `singles`: single characters too.
create function search_keys(block bigint, words text, singles boolean) returns bigint[]
  language plpgsql immutable parallel safe strict as $$
declare
  found bigint[] := '{}';
  above bigint := block << 42;
  before bigint := 0;
  code bigint;
  one text;
begin
  foreach one in array string_to_array(words, null) loop
    code := ascii(one);
    if before > 0 then found := found || (above | (before << 21) | code); end if;
    if singles then found := found || (above | (code << 21)); end if;
    before := code;
  end loop;
  return found;
end $$;

-- What names are found by: their characters, pairs and triples of them, each a number (21 bits a character). `asked`: only the longest kind
-- that the words have, which says more than the others do; a pair such as "客户" is in very many names.
create function name_keys(words text, asked boolean) returns bigint[]
  language plpgsql immutable parallel safe strict as $$
declare
  found bigint[] := '{}';
  last bigint := 0;
  before bigint := 0;
  code bigint;
  one text;
  longest int := case when asked then least(char_length(words), 3) else 0 end;
begin
  foreach one in array string_to_array(words, null) loop
    code := ascii(one);
    if last > 0 and longest in (0, 3) then found := found || ((last << 42) | (before << 21) | code); end if;
    if before > 0 and longest in (0, 2) then found := found || ((before << 21) | code); end if;
    if longest in (0, 1) then found := found || (code << 21); end if;
    last := before;
    before := code;
  end loop;
  return found;
end $$;

-- What was said, for searching. Written by triggers with the message itself; never changed.
create table message_text (
  message_id       bigint primary key,
  conversation_id  bigint not null,
  words            text not null
);

create index message_text_words on message_text using gin (search_keys(message_id >> 17, words, false))
  with (gin_pending_list_limit = 256);
create index contact_words on contact using gin (name_keys(search_fold(name), false)) where name <> '';
create index customer_words on customer using gin (name_keys(search_fold(name || ' ' || remark), false));
create index conversation_group_words on conversation using gin (name_keys(search_fold(group_name), false))
  where group_key <> '';
create index contact_external on contact (external_id text_pattern_ops);
create index customer_phone on customer (phone text_pattern_ops) where phone <> '';
create index customer_phone_end on customer (reverse(phone) text_pattern_ops) where phone <> '';

create function message_text_inserted() returns trigger language plpgsql as $$
begin
  insert into message_text (message_id, conversation_id, words)
  select id, conversation_id, search_fold(text) from new_rows where text <> '';
  return null;
end $$;
create function message_text_deleted() returns trigger language plpgsql as $$
begin
  delete from message_text t using old_rows o where t.message_id = o.id;
  return null;
end $$;
create trigger message_text_insert after insert on message
  referencing new table as new_rows for each statement execute function message_text_inserted();
create trigger message_text_delete after delete on message
  referencing old table as old_rows for each statement execute function message_text_deleted();

-- ---------------------------------------------------------------- customers and sales

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

-- ---------------------------------------------------------------- relations with platforms

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

-- ---------------------------------------------------------------- codes, greetings and notices

-- Codes that customers scan to add one of our people. `source` is the platform's `state`: it comes back with everybody who came by the
-- code. `version` counts what is wanted, `made_version` what the platform has been told.
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

-- Who came by a code: a relation counts once per code, however often it is told.
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

-- What greets new contacts: those of a code, else of some accounts, else of some teams' accounts, else everybody (the default: at most
-- one). `off` is said outside of `hours`.
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

-- Events that allow something for seconds only: looked at before all others (scrm/urgent.py), and handled in their turn as well.
create table urgent_event (
  inbound_event_id  bigint primary key references inbound_event on delete cascade,
  connection_id     bigint not null
);

-- One greeting of one new contact. The welcome code allows one: the unique key decides between two processes that see its event.
-- Account and contact are written as the event names them, and found when they are rows.
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

-- Notices that go to people's own app as a card: several that come together are one card. Its words are kept, so that a repetition is
-- the same card and the platform drops it.
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
alter table notification add column card text not null default 'new'
  check (card in ('new', 'carded', 'off', 'read', 'seen', 'none', 'old'));
alter table notification add column card_id bigint references notice_card on delete set null;
create index notification_card_new on notification (agent_id, id) where card = 'new';
alter table agent_identity add column card_error jsonb;
alter table agent_identity add column card_error_at timestamptz;

-- ---------------------------------------------------------------- identity and the whole page

-- What made one customer of several, or several of one, with all that is needed to take it back: the customers as they were (`before`)
-- and as they became (`after`), and which rows moved. `reason` of what was joined by itself: union or phone.
create table customer_merge (
  id         bigint generated always as identity primary key,
  kind       text not null check (kind in ('merged', 'joined', 'split')),
  into_id    bigint not null references customer on delete cascade,
  from_ids   bigint[] not null,
  by_id      bigint references agent on delete set null,
  reason     text not null default '',
  data       jsonb not null,
  at         timestamptz not null,
  undone_at  timestamptz,
  undone_by  bigint references agent on delete set null
);
create index customer_merge_into on customer_merge (into_id, id desc);
create index customer_merge_from on customer_merge using gin (from_ids);

-- Two customers that somebody said are two: they are neither suggested nor joined by themselves.
create table customer_apart (
  low_id   bigint not null references customer on delete cascade,
  high_id  bigint not null references customer on delete cascade,
  by_id    bigint references agent on delete set null,
  at       timestamptz not null,
  primary key (low_id, high_id),
  check (low_id < high_id)
);
create index customer_apart_high on customer_apart (high_id);

-- What customers are compared by, to find those who may be one: made from the customer by the program (customers/identity/keys.py).
create table customer_key (
  customer_id  bigint not null references customer on delete cascade,
  kind         text not null check (kind in ('name_company', 'name_city', 'name')),
  key          text not null,
  primary key (customer_id, kind)
);
create index customer_key_same on customer_key (kind, key);

-- Customers who may be one, and why.
create table duplicate (
  id        bigint generated always as identity primary key,
  low_id    bigint not null references customer on delete cascade,
  high_id   bigint not null references customer on delete cascade,
  reasons   text[] not null,
  score     int not null,
  found_at  timestamptz not null,
  unique (low_id, high_id),
  check (low_id < high_id)
);
create index duplicate_best on duplicate (score desc, id desc);
create index duplicate_high on duplicate (high_id);

-- Files that people keep with a customer. A deleted one stays for its undo.
create table customer_file (
  id           bigint generated always as identity primary key,
  customer_id  bigint not null references customer on delete cascade,
  sha256       text not null references blob,
  name         text not null,
  mime         text not null,
  size         bigint not null,
  width        int not null default 0,
  height       int not null default 0,
  added_by     bigint references agent on delete set null,
  created_at   timestamptz not null,
  deleted_at   timestamptz
);
create index customer_file_customer on customer_file (customer_id, id desc);

-- Entering a customer, so that asking twice is entering once.
create table customer_entry (
  agent_id      bigint not null references agent on delete cascade,
  client_token  text not null,
  customer_id   bigint references customer on delete cascade,
  at            timestamptz not null,
  primary key (agent_id, client_token)
);
create index customer_entry_customer on customer_entry (customer_id);

-- What is added to a customer while it is being merged goes where the customer went: this waits for the merge, then follows it.
create function follow_merged_customer() returns trigger language plpgsql as $$
declare
  at_id bigint := new.customer_id;
  next_id bigint;
begin
  loop
    exit when at_id is null;
    select merged_into into next_id from customer where id = at_id for key share;
    exit when next_id is null;
    at_id := next_id;
  end loop;
  new.customer_id := at_id;
  return new;
end $$;
create trigger contact_follows_merge before insert on contact for each row execute function follow_merged_customer();
create trigger phone_number_follows_merge before insert on phone_number for each row execute function follow_merged_customer();
create trigger follow_up_follows_merge before insert on follow_up for each row execute function follow_merged_customer();
create trigger task_follows_merge before insert on task for each row execute function follow_merged_customer();
create trigger notification_follows_merge before insert on notification for each row execute function follow_merged_customer();
create trigger timeline_follows_merge before insert on timeline for each row execute function follow_merged_customer();
create trigger stage_history_follows_merge before insert on stage_history for each row execute function follow_merged_customer();
create trigger owner_history_follows_merge before insert on owner_history for each row execute function follow_merged_customer();
create trigger customer_file_follows_merge before insert on customer_file for each row execute function follow_merged_customer();
create index notification_customer on notification (customer_id) where customer_id is not null;

-- ---------------------------------------------------------------- ownership and handing over

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

-- ---------------------------------------------------------------- lists, imports and exports

-- For lists by reach and by account, kept by the job that folds customer_stir: the accounts of the conversations of a customer
-- without a group, who else sees them (assigned, helping), and all accounts that they come from. A moment late at most; what is
-- handed out is checked against the rows themselves.
alter table customer add column seen_accounts bigint[] not null default '{}';
alter table customer add column seen_agents bigint[] not null default '{}';
alter table customer add column accounts bigint[] not null default '{}';
alter table contact add column last_message_at timestamptz;
alter table contact add column last_inbound_at timestamptz;

-- What changed about contacts and is not yet told to their customers: written without looking at anything, so that no two writers
-- wait for one another; a loop folds it (customers/folding.py). A row without customer_id is about the contact of a conversation.
create table customer_stir (
  conversation_id  bigint,
  customer_id      bigint,
  said_at          timestamptz,
  heard_at         timestamptz
);
create index customer_stir_conversation on customer_stir (conversation_id);
create index customer_stir_customer on customer_stir (customer_id) where conversation_id is null;
create function message_stirs() returns trigger language plpgsql as $$
begin
  insert into customer_stir (conversation_id, said_at, heard_at)
  select conversation_id, max(sent_at), max(sent_at) filter (where direction = 'in') from new_rows
  where direction in ('in', 'out') group by conversation_id;
  return null;
end $$;
create function conversation_stirs() returns trigger language plpgsql as $$
begin
  insert into customer_stir (conversation_id) values (new.id);
  return null;
end $$;
create function contact_stirs() returns trigger language plpgsql as $$
begin
  insert into customer_stir (customer_id) values (new.customer_id), (old.customer_id);
  return null;
end $$;
create function contact_link_stirs() returns trigger language plpgsql as $$
begin
  insert into customer_stir (customer_id) select customer_id from contact where id = new.contact_id;
  return null;
end $$;
create trigger message_stir after insert on message
  referencing new table as new_rows for each statement execute function message_stirs();
create trigger conversation_made_stir after insert on conversation
  for each row when (new.contact_id is not null) execute function conversation_stirs();
create trigger conversation_stir after update on conversation for each row
  when (new.contact_id is not null and (old.assignee_id is distinct from new.assignee_id
    or old.collaborators <> new.collaborators or old.contact_id is distinct from new.contact_id))
  execute function conversation_stirs();
create trigger contact_stir after update on contact
  for each row when (old.customer_id <> new.customer_id) execute function contact_stirs();
create trigger contact_link_made_stir after insert on contact_link for each row execute function contact_link_stirs();
create trigger contact_link_stir after update on contact_link
  for each row when (old.state <> new.state) execute function contact_link_stirs();

-- One index for each order of the list, and for what filters ask. Those who were merged into others are never listed.
create index customer_by_created on customer (created_at, id) where merged_into is null;
create index customer_by_updated on customer (updated_at, id) where merged_into is null;
create index customer_by_message on customer (last_message_at, id) where last_message_at is not null;
create index customer_by_inbound on customer (last_inbound_at, id) where last_inbound_at is not null;
create index customer_by_followed on customer (followed_at, id) where followed_at is not null;
create index customer_by_due on customer (next_due_at, id) where next_due_at is not null;
create index customer_by_value on customer (value_fen, id) where value_fen is not null;
create index customer_by_name on customer (name collate "C", id) where merged_into is null;
create index customer_by_company on customer (company collate "C", id) where company <> '';
create index customer_by_city on customer (city collate "C", id) where city <> '';
create index customer_by_source on customer (source collate "C", id) where source <> '';
create index customer_by_stage on customer (stage_id, stage_at, id) where stage_id is not null;
create index customer_fields on customer using gin (fields jsonb_path_ops) where fields <> '{}';
create index customer_company_words on customer using gin (name_keys(search_fold(company), false)) where company <> '';
create index customer_seen_accounts on customer using gin (seen_accounts) where seen_accounts <> '{}';
create index customer_seen_agents on customer using gin (seen_agents) where seen_agents <> '{}';
create index customer_accounts on customer using gin (accounts) where accounts <> '{}';
create index phone_number_end on phone_number (reverse(phone) text_pattern_ops);

-- A filter with a name: whom a view shows, and whom a mass message will go to. `total`: how many there were when last counted.
create table segment (
  id           bigint generated always as identity primary key,
  name         text not null,
  description  text not null default '',
  filter       jsonb not null,
  total        bigint,
  counted_at   timestamptz,
  created_by   bigint references agent on delete set null,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  version      bigint not null default 1,
  deleted_at   timestamptz
);
create unique index segment_name on segment (lower(name)) where deleted_at is null;

-- A list of customers that is kept: filter, order and columns, for one person, a team or (neither) the company.
create table customer_view (
  id           bigint generated always as identity primary key,
  name         text not null,
  agent_id     bigint references agent on delete cascade,
  team_id      bigint references team on delete cascade,
  data         jsonb not null,
  position     int not null default 0,
  created_by   bigint references agent on delete set null,
  created_at   timestamptz not null,
  check (agent_id is null or team_id is null)
);
create index customer_view_agent on customer_view (agent_id, position, id);
create index customer_view_team on customer_view (team_id, position, id) where team_id is not null;

-- A sheet that becomes customers. Each chunk is one transaction with its `position`, so a run that was killed goes on where it was.
-- `phase`: the dry run and the real one are the same code. `result` counts both.
create table customer_import (
  id            bigint generated always as identity primary key,
  agent_id      bigint not null references agent on delete cascade,
  name          text not null,
  sha256        text not null,
  size          bigint not null,
  state         text not null default 'uploaded'
    check (state in ('uploaded', 'checking', 'checked', 'running', 'done', 'failed', 'cancelled')),
  phase         text not null default '' check (phase in ('', 'dry', 'real')),
  sheet         jsonb not null,
  mapping       jsonb not null default '[]',
  options       jsonb not null default '{}',
  attempt       int not null default 0,
  position      bigint not null default 0,
  result        jsonb not null default '{}',
  problem       jsonb,
  created_at    timestamptz not null,
  started_at    timestamptz,
  finished_at   timestamptz
);
create index customer_import_agent on customer_import (agent_id, id desc);

-- What the rows of an import are known by, so that two rows for one person are found wherever they stand.
create table customer_import_key (
  import_id  bigint not null references customer_import on delete cascade,
  attempt    int not null,
  key        text not null,
  row        bigint not null,
  primary key (import_id, attempt, key)
);
-- The rows that were not taken as they were, for the file of errors.
create table customer_import_row (
  import_id  bigint not null references customer_import on delete cascade,
  attempt    int not null,
  row        bigint not null,
  outcome    text not null check (outcome in ('failed', 'skipped', 'noted')),
  problems   jsonb not null,
  cells      jsonb not null,
  primary key (import_id, attempt, row)
);
-- How somebody's columns were mapped, by what stood above them: the next sheet needs no questions.
create table customer_import_mapping (
  agent_id    bigint not null references agent on delete cascade,
  title       text not null,
  field       text not null,
  updated_at  timestamptz not null,
  primary key (agent_id, title)
);

-- A sheet of customers that somebody asked for, and may fetch until it expires.
create table customer_export (
  id           bigint generated always as identity primary key,
  agent_id     bigint not null references agent on delete cascade,
  name         text not null,
  format       text not null check (format in ('xlsx', 'csv')),
  state        text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'expired')),
  data         jsonb not null,
  done         bigint not null default 0,
  total        bigint,
  sha256       text,
  size         bigint,
  problem      jsonb,
  created_at   timestamptz not null,
  finished_at  timestamptz,
  expires_at   timestamptz
);
create index customer_export_agent on customer_export (agent_id, id desc);
create index customer_export_expires on customer_export (expires_at) where state = 'done';

-- ---------------------------------------------------------------- follow-ups and tasks

-- `edits`: what was written before each correction. `previous_id`: the task whose being done made this one, at most once.
alter table follow_up add column edits jsonb not null default '[]';
alter table task add column previous_id bigint references task on delete set null;
alter table task add column client_token text;
create unique index task_next_once on task (previous_id) where previous_id is not null;
create unique index task_once on task (created_by, client_token) where client_token is not null;
create index task_follow_up on task (follow_up_id) where follow_up_id is not null;
create index task_answered on task (done_by_id) where done_by_id is not null;
create index task_finished on task (done_at, id) where state = 'done';
create index task_was_due on task (due_at, id) where state = 'done' and done_at > due_at;

-- ---------------------------------------------------------------- stages, tags and reports

alter table stage_history add column owner_id bigint references agent on delete set null;

create index customer_stage on customer (stage_id, (coalesce(stage_at, created_at)) desc, id desc)
  where merged_into is null and deleted_at is null;
create index customer_stage_owner on customer (owner_id, stage_id, (coalesce(stage_at, created_at)) desc, id desc)
  where merged_into is null and deleted_at is null;
create index customer_created on customer (created_at) where merged_into is null and deleted_at is null;
create index contact_link_left on contact_link (ended_at) where state = 'deleted_by_contact';

-- How many customers there are by tag (null: all of them, once), stage and owner, and what they are worth. Every change adds its
-- differences; the sums are what is told. Merged customers and those in the recycle bin do not count.
create table customer_tally (
  id         bigint generated always as identity primary key,
  tag_id     bigint,
  stage_id   bigint,
  owner_id   bigint,
  n          bigint not null,
  value_fen  numeric not null
);

-- Customers about whom something changed that rules or figures ask for. Emptied by those who read it (customers/rules/watch.py).
create table customer_touch (
  id           bigint generated always as identity primary key,
  customer_id  bigint not null
);

create function customer_counted_insert() returns trigger language plpgsql as $$
begin
  insert into customer_tally (tag_id, stage_id, owner_id, n, value_fen)
  select t.tag_id, r.stage_id, r.owner_id, count(*), coalesce(sum(r.value_fen), 0) from new_rows r
    cross join lateral (select null::bigint as tag_id union all select unnest(r.tags)) t
  where r.merged_into is null and r.deleted_at is null group by 1, 2, 3;
  insert into customer_touch (customer_id) select id from new_rows;
  return null;
end $$;

create function customer_counted_update() returns trigger language plpgsql as $$
declare
  changed bigint[];
begin
  select array_agg(n.id) into changed from old_rows o join new_rows n on n.id = o.id
  where (o.stage_id, o.owner_id, o.value_fen, o.tags, o.source, o.merged_into, o.deleted_at, o.created_at)
    is distinct from (n.stage_id, n.owner_id, n.value_fen, n.tags, n.source, n.merged_into, n.deleted_at, n.created_at);
  if changed is null then return null; end if;
  insert into customer_tally (tag_id, stage_id, owner_id, n, value_fen)
  select t.tag_id, r.stage_id, r.owner_id, sum(r.n), sum(r.n * coalesce(r.value_fen, 0)) from (
    select tags, stage_id, owner_id, value_fen, 1 as n from new_rows
    where id = any(changed) and merged_into is null and deleted_at is null
    union all
    select tags, stage_id, owner_id, value_fen, -1 from old_rows
    where id = any(changed) and merged_into is null and deleted_at is null
  ) r cross join lateral (select null::bigint as tag_id union all select unnest(r.tags)) t
  group by 1, 2, 3 having sum(r.n) <> 0 or sum(r.n * coalesce(r.value_fen, 0)) <> 0;
  insert into customer_touch (customer_id) select unnest(changed);
  return null;
end $$;

create function customer_counted_delete() returns trigger language plpgsql as $$
begin
  insert into customer_tally (tag_id, stage_id, owner_id, n, value_fen)
  select t.tag_id, r.stage_id, r.owner_id, -count(*), -coalesce(sum(r.value_fen), 0) from old_rows r
    cross join lateral (select null::bigint as tag_id union all select unnest(r.tags)) t
  where r.merged_into is null and r.deleted_at is null group by 1, 2, 3;
  return null;
end $$;

create trigger customer_counted_insert after insert on customer
  referencing new table as new_rows for each statement execute function customer_counted_insert();
create trigger customer_counted_update after update on customer
  referencing old table as old_rows new table as new_rows for each statement execute function customer_counted_update();
create trigger customer_counted_delete after delete on customer
  referencing old table as old_rows for each statement execute function customer_counted_delete();

create function customer_touched_by_follow_up() returns trigger language plpgsql as $$
begin
  insert into customer_touch (customer_id) select distinct customer_id from new_rows;
  return null;
end $$;
create trigger customer_touched_by_follow_up after insert on follow_up
  referencing new table as new_rows for each statement execute function customer_touched_by_follow_up();

create function customer_touched_by_link() returns trigger language plpgsql as $$
begin
  insert into customer_touch (customer_id)
  select distinct k.customer_id from new_rows n join contact k on k.id = n.contact_id;
  return null;
end $$;
create trigger customer_touched_by_new_link after insert on contact_link
  referencing new table as new_rows for each statement execute function customer_touched_by_link();

create function customer_touched_by_changed_link() returns trigger language plpgsql as $$
begin
  insert into customer_touch (customer_id)
  select distinct k.customer_id from new_rows n join old_rows o on o.id = n.id join contact k on k.id = n.contact_id
  where (o.state, o.source, o.ended_at) is distinct from (n.state, n.source, n.ended_at);
  return null;
end $$;
create trigger customer_touched_by_changed_link after update on contact_link
  referencing old table as old_rows new table as new_rows for each statement execute function customer_touched_by_changed_link();

create function customer_touched_by_conversation() returns trigger language plpgsql as $$
begin
  insert into customer_touch (customer_id)
  select distinct k.customer_id from new_rows n join contact k on k.id = n.contact_id;
  return null;
end $$;
create trigger customer_touched_by_conversation after insert on conversation
  referencing new table as new_rows for each statement execute function customer_touched_by_conversation();

-- Which customer a rule did something with, and when last: what it did once it does again only for a newer cause.
create table rule_hit (
  rule_id      bigint not null references customer_rule on delete cascade,
  customer_id  bigint not null references customer on delete cascade,
  at           timestamptz not null,
  n            int not null default 1,
  primary key (rule_id, customer_id)
);
create index rule_hit_customer on rule_hit (customer_id);

-- How far a reader of a table has come. What is up to `next_id` is read once every transaction before `next_xid` has ended: ids are
-- handed out in one order and committed in another.
create table reading_place (
  name      text primary key,
  last_id   bigint not null,
  next_id   bigint,
  next_xid  xid8
);

-- Days (hours, to be exact: where a day begins is the company's decision) whose sums are to be counted again.
create table report_due (
  id    bigint generated always as identity primary key,
  hour  timestamptz not null
);

-- Sums by day in the company's time zone, whose customers they are (0: nobody's) and where these came from. Counted again from the
-- customers themselves whenever something of the day changes.
create table customer_day (
  day       date not null,
  owner_id  bigint not null,
  source    text not null,
  made      int not null default 0,
  gone      int not null default 0,
  primary key (day, owner_id, source)
);

-- Customers made that day by the furthest stage they were ever in (0: none), lost ones apart.
create table stage_cohort (
  day       date not null,
  owner_id  bigint not null,
  stage_id  bigint not null,
  n         int not null,
  lost      int not null default 0,
  primary key (day, owner_id, stage_id)
);

-- Moves of that day; whose the customer was then. `seconds`: all the time spent in the former stage.
create table stage_day (
  day       date not null,
  owner_id  bigint not null,
  from_id   bigint not null,
  to_id     bigint not null,
  n         int not null,
  seconds   bigint not null,
  primary key (day, owner_id, from_id, to_id)
);

-- ---------------------------------------------------------------- campaigns

-- What a marketer wrote: words, to whom, when. It sends nothing itself: each time it is due it makes a run, which freezes all this.
-- draft -> waiting (for a second person) -> scheduled -> running <-> paused -> done; cancelled from anywhere before done.
-- `recipients`: how many there were when it was submitted; `approval`: why a second person was needed.
create table campaign (
  id             bigint generated always as identity primary key,
  kind           text not null check (kind in ('message', 'moment', 'invite')),
  name           text not null,
  state          text not null default 'draft' check (state in
    ('draft', 'waiting', 'scheduled', 'running', 'paused', 'done', 'cancelled')),
  content        jsonb not null default '{}',
  audience       jsonb not null default '{}',
  schedule       jsonb not null default '{}',
  options        jsonb not null default '{}',
  created_by     bigint references agent on delete set null,
  version        bigint not null default 1,
  submitted_by   bigint references agent on delete set null,
  submitted_at   timestamptz,
  decided_by     bigint references agent on delete set null,
  decided_at     timestamptz,
  decision_note  text not null default '',
  next_at        timestamptz,
  paused_at      timestamptz,
  finished_at    timestamptz,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  deleted_at     timestamptz,
  client_token   text,
  recipients     bigint,
  approval       text not null default '' check (approval in ('', 'size', 'role')),
  saved_id       bigint,
  saved_version  bigint
);
create unique index campaign_token on campaign (created_by, client_token);
create index campaign_newest on campaign (updated_at desc, id desc) where deleted_at is null;
create index campaign_due on campaign (next_at) where next_at is not null and state in ('scheduled', 'running');

-- One occurrence. The unique key decides between processes that find it due. `position`: the last customer that was looked at, moved in
-- the transaction that writes the chunk's deliveries, so that freezing goes on where it was. A missed one says why in `reason`.
create table campaign_run (
  id           bigint generated always as identity primary key,
  campaign_id  bigint not null references campaign on delete cascade,
  due_at       timestamptz not null,
  state        text not null check (state in ('freezing', 'running', 'done', 'cancelled', 'missed')),
  content      jsonb not null default '{}',
  audience     jsonb not null default '{}',
  options      jsonb not null default '{}',
  position     bigint not null default 0,
  late         boolean not null default false,
  reason       jsonb,
  created_at   timestamptz not null,
  frozen_at    timestamptz,
  finished_at  timestamptz,
  lease_until  timestamptz,
  lease_token  uuid,
  swept_at     timestamptz,
  unique (campaign_id, due_at)
);
create index campaign_run_open on campaign_run (id) where state in ('freezing', 'running');
create index campaign_run_unswept on campaign_run (id) where state = 'cancelled' and swept_at is null;

-- One call of a platform for many recipients: a task that a member confirms, or a post that the platform spreads.
-- queued -> calling -> asked -> done; an unknown outcome is `doubt` until the platform's own list tells, or `uncertain` for good.
create table broadcast_ticket (
  id               bigint generated always as identity primary key,
  run_id           bigint not null references campaign_run on delete cascade,
  campaign_id      bigint not null references campaign on delete cascade,
  connection_id    bigint not null references connection on delete cascade,
  account_id       bigint not null references account on delete cascade,
  way              text not null check (way in ('task', 'broadcast')),
  state            text not null default 'queued' check (state in
    ('queued', 'calling', 'doubt', 'asked', 'done', 'failed', 'uncertain', 'cancelled')),
  idempotency_key  text not null unique,
  platform_id      text,
  n                int not null default 0,
  text             text not null default '',
  part             int not null default 0,
  due_at           timestamptz not null,
  attempts         int not null default 0,
  called_at        timestamptz,
  look_at          timestamptz,
  cursor           text not null default '',
  confirmed_at     timestamptz,
  reminders        int not null default 0,
  reminded_at      timestamptz,
  withdrawn_at     timestamptz,
  reason           jsonb,
  lease_until      timestamptz,
  lease_token      uuid,
  created_at       timestamptz not null,
  finished_at      timestamptz,
  doubted_at       timestamptz
);
create unique index broadcast_ticket_platform on broadcast_ticket (connection_id, platform_id) where platform_id is not null;
create index broadcast_ticket_due on broadcast_ticket (due_at) where state in ('queued', 'doubt');
create index broadcast_ticket_leased on broadcast_ticket (lease_until) where state = 'calling';
create index broadcast_ticket_look on broadcast_ticket (look_at) where state = 'asked' and look_at is not null;
create index broadcast_ticket_run on broadcast_ticket (run_id, account_id, part);
create index broadcast_ticket_called on broadcast_ticket (connection_id, called_at) where called_at is not null;

-- The ledger: one recipient's part of a run, also of those who were left out (`skipped`) and why. Exactly one per person and run,
-- whichever of their contacts it goes to; or one per group.
create table delivery (
  id               bigint generated always as identity primary key,
  run_id           bigint not null references campaign_run on delete cascade,
  campaign_id      bigint not null,
  customer_id      bigint references customer on delete cascade,
  group_chat_id    bigint references group_chat on delete cascade,
  contact_id       bigint references contact on delete set null,
  account_id       bigint references account on delete set null,
  connection_id    bigint,
  conversation_id  bigint,
  way              text not null default '' check (way in ('', 'task', 'broadcast', 'reply')),
  state            text not null check (state in
    ('planned', 'sending', 'asked', 'sent', 'failed', 'skipped', 'uncertain', 'cancelled')),
  reason           text not null default '',
  detail           jsonb,
  due_at           timestamptz not null,
  ticket_id        bigint references broadcast_ticket on delete set null,
  message_id       bigint,
  attempt          int not null default 1,
  counted_at       timestamptz,
  sent_at          timestamptz,
  read_at          timestamptz,
  replied_at       timestamptz,
  followed_at      timestamptz,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  check ((customer_id is null) <> (group_chat_id is null))
);
create unique index delivery_customer on delivery (run_id, customer_id) where customer_id is not null;
create unique index delivery_group on delivery (run_id, group_chat_id) where group_chat_id is not null;
create index delivery_planned on delivery (run_id, way, account_id, due_at, id) where state = 'planned';
create index delivery_open on delivery (run_id, id) where state in ('sending', 'asked');
-- Messages under way, however many others wait for their members.
create index delivery_answering on delivery (run_id, id) where state = 'sending' and way = 'reply';
-- Pages of a run's recipients, of some states and reasons or of all.
create index delivery_of_run on delivery (run_id, state, reason, id);
-- Their account is gone.
create index delivery_orphan on delivery (run_id) where account_id is null and state in ('planned', 'sending', 'asked');
create index delivery_ticket on delivery (ticket_id, contact_id) where ticket_id is not null;
create index delivery_message on delivery (message_id) where message_id is not null;
-- What platforms and our own cap count: whoever was (or may have been) reached, and when.
create index delivery_counted on delivery (contact_id, counted_at) where contact_id is not null;
create index delivery_counted_customer on delivery (customer_id, counted_at) where counted_at is not null and customer_id is not null;
create index delivery_of_customer on delivery (customer_id, id desc) where customer_id is not null;

create index delivery_due on delivery (run_id, way, due_at, id) where state = 'planned';
create index delivery_waits on delivery (contact_id, sent_at) where state = 'sent' and replied_at is null and contact_id is not null;
create index delivery_page on delivery (run_id, id);
create index delivery_page_by_state on delivery (run_id, state, id);

-- Counts of the ledger, exact and at constant cost: differences by triggers, added up by readers, folded now and then.
create table delivery_tally (
  id          bigint generated always as identity primary key,
  run_id      bigint not null,
  account_id  bigint,
  way         text not null,
  state       text not null,
  reason      text not null,
  n           bigint not null,
  read        bigint not null,
  replied     bigint not null,
  followed    bigint not null
);
create index delivery_tally_run on delivery_tally (run_id);

create function delivery_counted_insert() returns trigger language plpgsql as $$
begin
  insert into delivery_tally (run_id, account_id, way, state, reason, n, read, replied, followed)
  select run_id, account_id, way, state, reason, count(*), count(read_at), count(replied_at), count(followed_at)
  from new_rows group by 1, 2, 3, 4, 5;
  return null;
end $$;

create function delivery_counted_update() returns trigger language plpgsql as $$
begin
  insert into delivery_tally (run_id, account_id, way, state, reason, n, read, replied, followed)
  select run_id, account_id, way, state, reason, sum(n), coalesce(sum(n) filter (where read_at is not null), 0),
    coalesce(sum(n) filter (where replied_at is not null), 0), coalesce(sum(n) filter (where followed_at is not null), 0)
  from (
    select run_id, account_id, way, state, reason, read_at, replied_at, followed_at, 1 as n from new_rows
    union all
    select run_id, account_id, way, state, reason, read_at, replied_at, followed_at, -1 from old_rows
  ) change
  group by 1, 2, 3, 4, 5
  having sum(n) <> 0 or coalesce(sum(n) filter (where read_at is not null), 0) <> 0
    or coalesce(sum(n) filter (where replied_at is not null), 0) <> 0
    or coalesce(sum(n) filter (where followed_at is not null), 0) <> 0;
  return null;
end $$;

create function delivery_counted_delete() returns trigger language plpgsql as $$
begin
  insert into delivery_tally (run_id, account_id, way, state, reason, n, read, replied, followed)
  select run_id, account_id, way, state, reason, -count(*), -count(read_at), -count(replied_at), -count(followed_at)
  from old_rows group by 1, 2, 3, 4, 5;
  return null;
end $$;

create trigger delivery_counted_insert after insert on delivery
  referencing new table as new_rows for each statement execute function delivery_counted_insert();
create trigger delivery_counted_update after update on delivery
  referencing old table as old_rows new table as new_rows for each statement execute function delivery_counted_update();
create trigger delivery_counted_delete after delete on delivery
  referencing old table as old_rows for each statement execute function delivery_counted_delete();

-- Customers whom no campaign may reach while it lasts: they asked for it, or a complaint of theirs is open. `word`: what they answered
-- a post with, when that opened it by itself.
create table campaign_hold (
  id           bigint generated always as identity primary key,
  customer_id  bigint not null references customer on delete cascade,
  kind         text not null check (kind in ('opted_out', 'complaint')),
  note         text not null default '',
  by_id        bigint references agent on delete set null,
  at           timestamptz not null,
  ended_at     timestamptz,
  ended_by     bigint references agent on delete set null,
  open_kind    text generated always as (case when ended_at is null then kind end) stored,
  word         text not null default ''
);
create unique index campaign_hold_open on campaign_hold (customer_id, open_kind);

-- A list of people that somebody uploaded, or that was picked by hand, for campaigns.
create table campaign_list (
  id            bigint generated always as identity primary key,
  name          text not null,
  created_by    bigint references agent on delete set null,
  created_at    timestamptz not null,
  n             int not null default 0,
  unknown       int not null default 0,
  deleted_at    timestamptz,
  client_token  text,
  twice         int not null default 0
);
create unique index campaign_list_token on campaign_list (created_by, client_token);
create index campaign_list_newest on campaign_list (created_at desc, id desc) where deleted_at is null;
-- Lines that named nobody whom the uploader saw.
create table campaign_list_missing (
  list_id  bigint not null references campaign_list on delete cascade,
  number   int not null,
  text     text not null,
  primary key (list_id, number)
);
create table campaign_list_member (
  list_id      bigint not null references campaign_list on delete cascade,
  customer_id  bigint not null references customer on delete cascade,
  primary key (list_id, customer_id)
);

-- Posts that are kept to be used again. Versions are never changed; `approved` is the newest that a second person approved.
-- A campaign with `saved_id` says that version as it is, and is bound by `expires_on`, the last day.
create table campaign_content (
  id          bigint generated always as identity primary key,
  name        text not null,
  latest      bigint not null default 1,
  approved    bigint,
  expires_on  date,
  created_by  bigint references agent on delete set null,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  deleted_at  timestamptz
);
create index campaign_content_newest on campaign_content (updated_at desc, id desc) where deleted_at is null;
create table campaign_content_version (
  content_id   bigint not null references campaign_content on delete cascade,
  version      bigint not null,
  content      jsonb not null,
  by_id        bigint references agent on delete set null,
  at           timestamptz not null,
  approved_by  bigint references agent on delete set null,
  approved_at  timestamptz,
  primary key (content_id, version)
);
create index campaign_saved on campaign (saved_id) where saved_id is not null;

-- ---------------------------------------------------------------- invites
-- Lists of phone numbers that employees add by hand, in their own app: nothing here adds anybody. `left_out` counts, by reason, the lines
-- of the list that were not taken. `per_day`: how many one employee is given of it on a day.
create table invite_batch (
  id            bigint generated always as identity primary key,
  client_token  text not null,
  name          text not null,
  greeting      text not null default '',
  first_day     date not null,
  per_day       int not null check (per_day between 1 and 200),
  n             int not null default 0,
  left_out      jsonb not null default '{}',
  created_by    bigint references agent on delete set null,
  created_at    timestamptz not null,
  ended_at      timestamptz
);
create unique index invite_batch_token on invite_batch (created_by, client_token);
create index invite_batch_newest on invite_batch (created_at desc, id desc);
-- One number. `day`: for when it was planned; what is left of a day is done on the next. A number stands in one list only, the index decides.
-- `accepted`: the platform told of the relation with that employee; `elsewhere`: with another one.
create table invite (
  id           bigint generated always as identity primary key,
  batch_id     bigint not null references invite_batch on delete cascade,
  phone        text not null check (phone ~ '^\+[0-9]{5,15}$'),
  name         text not null default '',
  agent_id     bigint not null references agent on delete cascade,
  day          date not null,
  state        text not null default 'open'
    check (state in ('open', 'sent', 'not_found', 'refused', 'wrong_number', 'accepted', 'elsewhere', 'cancelled')),
  copies       int not null default 0,
  done_at      timestamptz,
  done_day     date,
  accepted_at  timestamptz,
  customer_id  bigint references customer on delete set null,
  account_id   bigint references account on delete set null,
  created_at   timestamptz not null
);
create unique index invite_phone on invite (phone) where state <> 'cancelled';
create index invite_batch_day on invite (batch_id, day, id);
create index invite_open on invite (agent_id, day, id) where state = 'open';
create index invite_waits on invite (created_at) where state in ('open', 'sent', 'not_found', 'refused', 'wrong_number');
create index invite_customer on invite (customer_id) where customer_id is not null;

-- ---------------------------------------------------------------- follow-up plans
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

-- ---------------------------------------------------------------- exact

-- A step of a run that failed inside the service: it is tried again at `until`, and other runs go on.
create table campaign_aside (
  run_id  bigint not null references campaign_run on delete cascade,
  step    text not null check (step in ('freeze', 'replies', 'tickets', 'calls', 'watch', 'doubt', 'ends')),
  tries   int not null default 1,
  since   timestamptz not null,
  until   timestamptz not null,
  error   text not null default '',
  primary key (run_id, step)
);

-- Follow-ups up to this one have been looked at for posts before them.
create table campaign_followed (
  id    int primary key default 1 check (id = 1),
  mark  bigint not null
);
insert into campaign_followed (mark) values (0);

-- ---------------------------------------------------------------- moments
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

-- ---------------------------------------------------------------- the chat archive
-- Where reading a platform's archive stands. `cursor`: everything up to this seq is stored, moved in the transaction that stores it.
-- `trouble`: what somebody has to do before it goes on, since when. Two leases: one process pulls, one opens.
create table archive (
  connection_id  bigint primary key references connection on delete cascade,
  cursor         bigint not null default 0,
  due_at         timestamptz not null,
  lease_until    timestamptz,
  lease_token    uuid,
  failures       int not null default 0,
  trouble        jsonb,
  trouble_since  timestamptz,
  pulled_at      timestamptz,
  caught_up_at   timestamptz,
  opening_until  timestamptz,
  opening_token  uuid,
  created_at     timestamptz not null
);
-- The company's private keys, sealed with the service's own. None is ever taken away while a record needs it.
create table archive_key (
  connection_id  bigint not null references connection on delete cascade,
  version        int not null check (version > 0),
  private_key    bytea not null,
  fingerprint    text not null,
  added_by       bigint references agent on delete set null,
  added_at       timestamptz not null,
  primary key (connection_id, version)
);
-- One record as the platform gave it (`sealed_*`), which is never changed, and what came of opening it: `record` is the platform's own words.
-- sealed -> done, or failed for a `reason` that another key or a person may mend. A connection with records cannot be deleted.
create table archive_record (
  id               bigint generated always as identity primary key,
  connection_id    bigint not null references connection,
  seq              bigint not null,
  message_id       text not null,
  key_version      int not null,
  sealed_key       text not null,
  sealed_message   text not null,
  pulled_at        timestamptz not null,
  state            text not null default 'sealed' check (state in ('sealed', 'done', 'failed')),
  reason           text not null default '',
  detail           text not null default '',
  attempts         int not null default 0,
  retry_at         timestamptz,
  opened_at        timestamptz,
  record           bytea,
  kind             text not null default '',
  known            boolean not null default true,
  said_at          timestamptz,
  conversation_id  bigint references conversation on delete set null,
  unique (connection_id, seq)
);
create index archive_record_sealed on archive_record (connection_id, id) where state = 'sealed';
create index archive_record_waits on archive_record (connection_id, key_version) where state <> 'done';
create index archive_record_message on archive_record (connection_id, message_id);
create index archive_record_unknown on archive_record (connection_id, id) where not known;
-- What was pulled, in stretches. `lost_since`: before this stretch something may be missing that the platform had thrown away already,
-- since nobody pulled after that moment.
create table archive_range (
  id             bigint generated always as identity primary key,
  connection_id  bigint not null references connection on delete cascade,
  after_seq      bigint not null,
  last_seq       bigint not null,
  n              bigint not null,
  began_at       timestamptz not null,
  ended_at       timestamptz not null,
  lost_since     timestamptz
);
create index archive_range_newest on archive_range (connection_id, id desc);
-- Files under way, part by part; each part is kept with the place of the next one.
create table archive_media (
  attachment_id  bigint primary key references attachment on delete cascade,
  connection_id  bigint not null references connection on delete cascade,
  md5            text not null default '',
  next_index     text not null default '',
  parts          int not null default 0,
  due_at         timestamptz not null,
  expires_at     timestamptz not null,
  attempts       int not null default 0,
  last_error     text not null default '',
  lease_until    timestamptz,
  lease_token    uuid
);
create index archive_media_due on archive_media (due_at);
create table archive_media_part (
  attachment_id  bigint not null references archive_media on delete cascade,
  n              int not null,
  data           bytea not null,
  primary key (attachment_id, n)
);
create index attachment_archived on attachment (id) where state = 'pending' and handle ? 'archive';
create index attachment_archive_lost on attachment (state, message_id) where state in ('failed', 'expired') and handle ? 'archive';

-- ---------------------------------------------------------------- rules and alerts of the archive
-- How far a table is written without a gap: every row up to `id` is there or never will be. Ids are handed out in one order and committed in
-- another, so what was the newest once (`next_id`) is passed when everybody who wrote then (`writers`, virtual transactions) has ended.
create table written_up_to (
  source   text primary key,
  id       bigint not null default 0,
  next_id  bigint,
  writers  text[] not null default '{}'
);
-- What is looked for in what people write and do: words, or an act. `data` is checked by the program (audit/rules/book.py). Deleted ones
-- stay, since alerts and finds name them. `version` counts changes of what it finds.
create table audit_rule (
  id          bigint generated always as identity primary key,
  kind        text not null,
  name        text not null,
  severity    text not null check (severity in ('low', 'medium', 'high')),
  enabled     boolean not null default true,
  data        jsonb not null,
  version     int not null default 1,
  created_by  bigint references agent on delete set null,
  created_at  timestamptz not null,
  updated_by  bigint references agent on delete set null,
  updated_at  timestamptz not null,
  deleted_at  timestamptz
);
-- What a rule said in each version, and who made it so.
create table audit_rule_version (
  rule_id     bigint not null references audit_rule on delete cascade,
  version     int not null,
  data        jsonb not null,
  severity    text not null,
  changed_by  bigint references agent on delete set null,
  changed_at  timestamptz not null,
  primary key (rule_id, version)
);
-- Where a rule does not look any more, since somebody said that it was wrong there.
create table audit_rule_mute (
  id               bigint generated always as identity primary key,
  rule_id          bigint not null references audit_rule on delete cascade,
  conversation_id  bigint references conversation on delete cascade,
  account_id       bigint references account on delete cascade,
  muted_by         bigint references agent on delete set null,
  muted_at         timestamptz not null,
  check ((conversation_id is null) <> (account_id is null))
);
create unique index audit_rule_mute_conversation on audit_rule_mute (rule_id, conversation_id) where conversation_id is not null;
create unique index audit_rule_mute_account on audit_rule_mute (rule_id, account_id) where account_id is not null;
-- A message that a rule found, once for ever. `spans`: begin and end of each place in the text, in characters; `words`: which words of the
-- rule stand there (or beside the text, in a title).
create table audit_hit (
  message_id    bigint not null references message on delete cascade,
  rule_id       bigint not null references audit_rule on delete cascade,
  rule_version  int not null,
  spans         int[] not null default '{}',
  words         text[] not null default '{}',
  found_at      timestamptz not null,
  primary key (message_id, rule_id)
);
create index audit_hit_rule on audit_hit (rule_id, message_id desc);
-- What somebody should look at. `fingerprint`: the same twice is one alert. new -> taken -> done or dismissed (it was nothing).
create table alert (
  id               bigint generated always as identity primary key,
  rule_id          bigint references audit_rule on delete cascade,
  kind             text not null,
  severity         text not null check (severity in ('low', 'medium', 'high')),
  title            jsonb not null,
  state            text not null default 'new' check (state in ('new', 'taken', 'done', 'dismissed')),
  assignee_id      bigint references agent on delete set null,
  conversation_id  bigint references conversation on delete cascade,
  message_id       bigint references message on delete set null,
  account_id       bigint references account on delete cascade,
  agent_id         bigint references agent on delete set null,
  detail           jsonb not null default '{}',
  fingerprint      text not null unique,
  outcome          text not null default '',
  note             text not null default '',
  happened_at      timestamptz not null,
  raised_at        timestamptz not null,
  settled_at       timestamptz,
  settled_by       bigint references agent on delete set null,
  version          int not null default 1
);
create index alert_state on alert (state, id desc);
create index alert_rule on alert (rule_id, state, id desc);
create index alert_conversation on alert (conversation_id, id desc);
create index alert_message on alert (message_id) where message_id is not null;
create index alert_assignee on alert (assignee_id, state, id desc) where assignee_id is not null;
-- What became of an alert, by whom.
create table alert_event (
  id        bigint generated always as identity primary key,
  alert_id  bigint not null references alert on delete cascade,
  at        timestamptz not null,
  agent_id  bigint references agent on delete set null,
  what      text not null,
  detail    jsonb not null default '{}'
);
create index alert_event_alert on alert_event (alert_id, id);
-- A rule that looks back. `at_id`: up to which message (exclusive, downwards) it came, moved with the finds of the stretch.
create table audit_rerun (
  id           bigint generated always as identity primary key,
  rule_id      bigint references audit_rule on delete cascade,
  since        timestamptz,
  alerts       boolean not null default true,
  state        text not null default 'running' check (state in ('running', 'done', 'stopped')),
  from_id      bigint not null,
  at_id        bigint not null,
  to_id        bigint not null,
  looked       bigint not null default 0,
  found        bigint not null default 0,
  raised       bigint not null default 0,
  asked_by     bigint references agent on delete set null,
  asked_at     timestamptz not null,
  finished_at  timestamptz
);
create unique index audit_rerun_running on audit_rerun (coalesce(rule_id, 0)) where state = 'running';
-- A rule as a platform keeps it too. `platform_id`: what it is called there; `made_version`: of the rule, as the platform was told.
create table audit_intercept (
  id             bigint generated always as identity primary key,
  rule_id        bigint not null references audit_rule on delete cascade,
  connection_id  bigint not null references connection on delete cascade,
  position       int not null default 0,
  platform_id    text,
  made           jsonb,
  wanted         boolean not null default true,
  trouble        jsonb,
  due_at         timestamptz not null,
  asking_at      timestamptz,
  unique (rule_id, connection_id, position)
);
create index audit_intercept_due on audit_intercept (due_at);
create index message_recall_time on message (recalled_at) where recalled_at is not null;
-- ---------------------------------------------------------------- audit: who is archived, who agreed, who looked
-- Reading a platform's list of archived employees and their customers' consent. `read_at`: the list was read whole; `trouble` as in archive.
create table archive_people (
  connection_id  bigint primary key references connection on delete cascade,
  channel        text not null,
  due_at         timestamptz not null,
  lease_until    timestamptz,
  lease_token    uuid,
  failures       int not null default 0,
  trouble        jsonb,
  trouble_since  timestamptz,
  read_at        timestamptz
);
-- An employee whose chats the platform archives; `until`: the list names them no more.
create table archive_permit (
  connection_id  bigint not null references connection on delete cascade,
  external_id    text not null,
  since          timestamptz not null,
  until          timestamptz,
  primary key (connection_id, external_id)
);
-- Whether a customer lets their chat with an employee be archived. Empty: not asked yet, or not told.
create table archive_consent (
  account_id     bigint not null references account on delete cascade,
  contact_id     bigint not null references contact on delete cascade,
  connection_id  bigint not null references connection on delete cascade,
  state          text not null default '' check (state in ('', 'agreed', 'by_default', 'refused')),
  changed_at     timestamptz,
  asked_at       timestamptz,
  due_at         timestamptz not null,
  primary key (account_id, contact_id)
);
create index archive_consent_due on archive_consent (connection_id, due_at);
create index archive_consent_contact on archive_consent (contact_id);
-- The same for groups, where each outsider is asked.
create table archive_room (
  connection_id  bigint not null references connection on delete cascade,
  group_key      text not null,
  asked_at       timestamptz,
  due_at         timestamptz not null,
  primary key (connection_id, group_key)
);
create index archive_room_due on archive_room (connection_id, due_at);
create table archive_room_consent (
  connection_id  bigint not null references connection on delete cascade,
  group_key      text not null,
  external_id    text not null,
  state          text not null check (state in ('agreed', 'by_default', 'refused')),
  changed_at     timestamptz,
  primary key (connection_id, group_key, external_id)
);
-- When somebody opened a chat in the place of audit last: one line of the trail for one opening.
create table audit_look (
  agent_id         bigint not null references agent on delete cascade,
  conversation_id  bigint not null references conversation on delete cascade,
  looked_at        timestamptz not null,
  primary key (agent_id, conversation_id)
);

-- ---------------------------------------------------------------- search in the archive

-- What a message has in words besides its text: titles, names, what was forwarded in it. Not addresses of the net, nor numbers.
create function content_words(content jsonb) returns text language sql immutable parallel safe strict
  return coalesce((select string_agg(found.value #>> '{}', E'\x1f' order by found.place)
    from jsonb_path_query(content, 'strict $.** ? (@.type() == "object").keyvalue() ? (@.key == "title" || @.key == "description"
      || @.key == "name" || @.key == "text" || @.key == "address" || @.key == "wish" || @.key == "filename" || @.key == "files"
      || @.key == "company" || @.key == "nickname" || @.key == "topic" || @.key == "votetitle" || @.key == "voteitem"
      ).value.** ? (@.type() == "string")') with ordinality found (value, place)), '');

-- Blocks of 1,048,576 ids, single characters too: few messages have such words.
create index message_called on message using gin (search_keys(id >> 20, search_fold(content_words(content)), true))
  with (gin_pending_list_limit = 256) where content <> '{}';
create index attachment_called on attachment using gin (search_keys(message_id >> 20, search_fold(name), true))
  with (gin_pending_list_limit = 256) where name <> '' and message_id is not null;
create index message_recalled on message (id) where recalled_at is not null;

-- Which characters (by their number), accounts, writers and kinds (by larger numbers) are among which 1,024 ids of messages: one bit for each
-- segment of a block of 131,072. Written behind the messages (audit/search/places.py), read by every search (inbox/search_places.py).
create table search_place (
  key       bigint not null,
  block     bigint not null,
  segments  bit(128) not null,
  primary key (key, block)
);
-- From when to when what is in a segment was said.
create table search_segment (
  segment     bigint primary key,
  first_sent  timestamptz not null,
  last_sent   timestamptz not null
);
-- A search that somebody keeps. With `alerts` it looks at what comes: `last_id` is the last message that was looked at, moved with the alerts
-- it raised. Deleted ones stay for the undo.
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
-- Customers and groups (conversations) by how their names are typed: pinyin and initials, from the first three characters on.
create table spelled_name (
  kind  text not null check (kind in ('customer', 'group')),
  id    bigint not null,
  key   text not null,
  primary key (kind, id, key)
);
create index spelled_name_key on spelled_name (kind, key text_pattern_ops);
-- ---------------------------------------------------------------- trail: reasons, and what nobody may take back
-- Why somebody wanted to look at what is not theirs. It holds for some time; the trail keeps each reason for good.
create table reason_given (
  agent_id   bigint not null references agent on delete cascade,
  act        text not null,
  object_id  bigint not null default 0,
  reason     text not null,
  given_at   timestamptz not null,
  until      timestamptz not null,
  primary key (agent_id, act, object_id)
);
-- Also for whoever plays the part of a replica (session_replication_role).
alter table audit_event enable always trigger audit_event_append_only;

-- ---------------------------------------------------------------- quality inspection

-- Who wrote how much in a conversation on a day (of the company, at the time of counting), kept behind the messages (audit/quality/talks.py).
-- Agent 0: the customer.
create table talk_day (
  conversation_id  bigint not null references conversation on delete cascade,
  day              date not null,
  agent_id         bigint not null,
  messages         int not null,
  after_hours      int not null,
  first_seq        bigint not null,
  last_seq         bigint not null,
  primary key (conversation_id, day, agent_id)
);
create index talk_day_day on talk_day (day, agent_id);
-- What is judged. What was published is never changed: scores point at it.
create table quality_sheet (
  id          bigint generated always as identity primary key,
  name        text not null,
  created_by  bigint references agent on delete set null,
  created_at  timestamptz not null,
  client_token text,
  unique (created_by, client_token)
);
create table quality_sheet_version (
  id            bigint generated always as identity primary key,
  sheet_id      bigint not null references quality_sheet on delete cascade,
  version       int not null,
  items         jsonb not null,
  pass_percent  int not null check (pass_percent between 0 and 100),
  updated_at    timestamptz not null,
  published_at  timestamptz,
  published_by  bigint references agent on delete set null,
  unique (sheet_id, version)
);
create unique index quality_sheet_draft on quality_sheet_version (sheet_id) where published_at is null;
create function refuse_published() returns trigger language plpgsql as $$
begin
  raise exception 'a published score sheet is not changed' using errcode = 'restrict_violation';
end $$;
create trigger quality_sheet_frozen before update of items, pass_percent, version, published_at on quality_sheet_version
  for each row when (old.published_at is not null) execute function refuse_published();
-- Which chats are inspected: `data` is checked by the program (audit/quality/plans.py). Drawn within the reach of whoever wrote it last.
create table quality_plan (
  id           bigint generated always as identity primary key,
  name         text not null,
  sheet_id     bigint not null references quality_sheet,
  schedule     text not null check (schedule in ('demand', 'weekly', 'monthly')),
  data         jsonb not null,
  version      int not null default 1,
  owner_id     bigint not null references agent,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  deleted_at   timestamptz,
  client_token text,
  unique (owner_id, client_token)
);
-- One drawing: with its seed it can be drawn again. `occasion`: a token of who asked, or the week or month.
create table quality_draw (
  id          bigint generated always as identity primary key,
  plan_id     bigint not null references quality_plan on delete cascade,
  occasion    text not null,
  seed        text not null,
  first_day   date not null,
  last_day    date not null,
  data        jsonb not null,
  candidates  int not null default 0,
  drawn       int not null default 0,
  asked_by    bigint references agent on delete set null,
  drawn_at    timestamptz not null,
  unique (plan_id, occasion)
);
-- A stretch of a conversation (what was said in it on one day), whose employee is judged by it.
create table quality_sample (
  id               bigint generated always as identity primary key,
  plan_id          bigint not null references quality_plan on delete cascade,
  draw_id          bigint not null references quality_draw on delete cascade,
  sheet_version_id bigint not null references quality_sheet_version,
  conversation_id  bigint not null references conversation on delete cascade,
  day              date not null,
  agent_id         bigint not null references agent,
  first_seq        bigint not null,
  last_seq         bigint not null,
  messages         int not null,
  state            text not null default 'due' check (state in ('due', 'scored', 'reviewed', 'appealed', 'closed')),
  inspector_id     bigint references agent on delete set null,
  scored_by        bigint references agent on delete set null,
  percent          int check (percent between 0 and 100),
  passed           boolean,
  vetoed           boolean not null default false,
  comment          text not null default '',
  scored_at        timestamptz,
  appeal_reason    text not null default '',
  appealed_at      timestamptz,
  decision         text not null default '' check (decision in ('', 'kept', 'changed')),
  decision_note    text not null default '',
  decided_by       bigint references agent on delete set null,
  unique (plan_id, conversation_id, day)
);
create index quality_sample_state on quality_sample (state, id desc);
create index quality_sample_agent on quality_sample (agent_id, day desc, id desc);
-- The points that count now, item by item.
create table quality_mark (
  sample_id  bigint not null references quality_sample on delete cascade,
  item       text not null,
  points     int not null check (points >= 0),
  most       int not null,
  vetoed     boolean not null,
  comment    text not null,
  primary key (sample_id, item)
);
-- What became of a sample, by whom, with the marks of that time.
create table quality_event (
  id         bigint generated always as identity primary key,
  sample_id  bigint not null references quality_sample on delete cascade,
  at         timestamptz not null,
  agent_id   bigint references agent on delete set null,
  what       text not null,
  detail     jsonb not null default '{}'
);
create index quality_event_sample on quality_event (sample_id, id);

-- ---------------------------------------------------------------- hot words

-- Words that the dictionary lacks, and words that are not counted.
create table word_entry (
  word      text primary key,
  kind      text not null check (kind in ('word', 'stop')),
  added_by  bigint references agent on delete set null,
  added_at  timestamptz not null
);
create table word_topic (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  words       text[] not null,
  updated_by  bigint references agent on delete set null,
  updated_at  timestamptz not null
);
-- Counts by one and the same dictionary: `words` and `stops` as they were. The live one is read; after a change another is built from the
-- first message on and takes its place when it has come as far.
create table word_book (
  id          bigint generated always as identity primary key,
  state       text not null check (state in ('building', 'live')),
  words       text[] not null,
  stops       text[] not null,
  last_id     bigint not null default 0,
  until_id    bigint not null default 0,
  started_at  timestamptz not null
);
create unique index word_book_state on word_book (state);
-- In how many messages of a day a word was. The word '' stands for all messages with text.
create table word_day (
  book_id     bigint not null references word_book on delete cascade,
  day         date not null,
  account_id  bigint not null references account on delete cascade,
  outgoing    boolean not null,
  word        text not null,
  messages    int not null,
  primary key (book_id, day, account_id, outgoing, word)
);
create index word_day_word on word_day (book_id, word, day);

-- ---------------------------------------------------------------- money

-- Money that was seen: red packets in archived chats, and what customers paid by the platform's own collecting. Amounts are fen; null: not
-- told. Employees and customers stand here by the platform's ids, so that who they are may become known later. `direction` is seen from the
-- company. `trade_id`: what a receipt and its refunds have in common; a refund is a row of its own, once, whoever tells of it.
-- `refunded_fen`, of a receipt: what went back in all.
create table payment (
  id               bigint generated always as identity primary key,
  connection_id    bigint not null references connection on delete cascade,
  source           text not null check (source in ('archive', 'bill')),
  reference        text not null,
  kind             text not null check (kind in ('red_packet_customer', 'red_packet_internal', 'transfer', 'collected', 'refund')),
  direction        text not null check (direction in ('in', 'out', 'inside')),
  amount_fen       bigint check (amount_fen >= 0),
  refunded_fen     bigint not null default 0 check (refunded_fen >= 0),
  pieces           int not null default 1,
  channel          text not null,
  member_id        text not null default '',
  contact_ref      text not null default '',
  trade_id         text not null default '',
  way              text not null default '',
  note             text not null default '',
  conversation_id  bigint references conversation on delete set null,
  message_id       bigint references message on delete set null,
  at               timestamptz not null,
  seen_at          timestamptz not null,
  unique (connection_id, source, reference)
);
create index payment_at on payment (at desc, id desc);
create index payment_conversation on payment (conversation_id, at) where conversation_id is not null;
create index payment_message on payment (message_id) where message_id is not null;
create index payment_member on payment (connection_id, member_id, at);
create index payment_contact on payment (connection_id, contact_ref, at) where contact_ref <> '';
create index payment_trade on payment (connection_id, trade_id) where trade_id <> '';
-- What was said of money in a chat, and whether it was seen. `open`: it may still come.
create table payment_claim (
  message_id       bigint not null references message on delete cascade,
  position         int not null,
  conversation_id  bigint not null references conversation on delete cascade,
  way              text not null check (way in ('transfer', 'red_packet')),
  amount_fen       bigint check (amount_fen >= 0),
  direction        text not null check (direction in ('in', 'out')),
  state            text not null check (state in ('open', 'matched', 'unseen')),
  payment_id       bigint references payment on delete set null,
  said_at          timestamptz not null,
  version          int not null,
  primary key (message_id, position)
);
create index payment_claim_said on payment_claim (said_at desc, message_id desc);
create index payment_claim_conversation on payment_claim (conversation_id, said_at);
create index payment_claim_open on payment_claim (said_at) where state = 'open';
create index payment_claim_payment on payment_claim (payment_id) where payment_id is not null;
-- How far the bills of a connection are read: up to `read_until`; in the middle of a window while `cursor` says where.
create table payment_bills (
  connection_id  bigint primary key references connection on delete cascade,
  due_at         timestamptz not null,
  read_until     timestamptz,
  again_at       timestamptz,
  window_begin   timestamptz,
  window_end     timestamptz,
  cursor         text not null default '',
  lease_until    timestamptz,
  lease_token    uuid,
  failures       int not null default 0,
  trouble        jsonb,
  trouble_since  timestamptz,
  looked_at      timestamptz
);
-- ---------------------------------------------------------------- retention
-- A message whose content is gone; that there was one, when and from whom stays, and its number in the chat.
alter table message add column removed_at timestamptz;
alter table message add column removed_for text check (removed_for in ('retention', 'erasure'));
-- What was removed, with the SHA-256 of what stood there: whoever kept a copy can prove that it is the one.
create table removal (
  kind        text not null check (kind in ('message', 'record', 'media')),
  object_id   bigint not null,
  digest      bytea not null,
  reason      text not null check (reason in ('retention', 'erasure')),
  agent_id    bigint references agent on delete set null,
  removed_at  timestamptz not null,
  primary key (kind, object_id)
);
-- How long what is kept, by kind and channel (empty: of every channel without a rule of its own). A pass over everything each day; `at_id`:
-- how far this one came, moved with what it removed.
create table retention_rule (
  id          bigint generated always as identity primary key,
  kind        text not null check (kind in ('messages', 'media', 'records')),
  channel     text not null default '',
  days        int not null check (days between 1 and 36500),
  enabled     boolean not null,
  at_id       bigint not null default 0,
  due_at      timestamptz not null,
  passed_at   timestamptz,
  removed     bigint not null default 0,
  kept        bigint not null default 0,
  updated_by  bigint references agent on delete set null,
  updated_at  timestamptz not null,
  unique (kind, channel)
);
-- What nobody and no rule may remove, whatever else says so. `since` and `until`: what was said then; empty: whenever. It ends by itself at
-- `ends_at`, or when somebody lifts it.
create table legal_hold (
  id               bigint generated always as identity primary key,
  kind             text not null check (kind in ('customer', 'conversation', 'employee', 'period')),
  customer_id      bigint,
  conversation_id  bigint,
  agent_id         bigint,
  since            timestamptz,
  until            timestamptz,
  reason           text not null,
  placed_by        bigint references agent on delete set null,
  placed_at        timestamptz not null,
  ends_at          timestamptz,
  lifted_by        bigint references agent on delete set null,
  lifted_at        timestamptz,
  lift_reason      text not null default '',
  client_token     text not null unique,
  check (num_nonnulls(customer_id, conversation_id, agent_id) = (kind <> 'period')::int),
  check (kind <> 'period' or since is not null or until is not null)
);
create index legal_hold_active on legal_hold (id) where lifted_at is null;
create index legal_hold_customer on legal_hold (customer_id) where customer_id is not null;
create index legal_hold_conversation on legal_hold (conversation_id) where conversation_id is not null;
-- A held chat, or the person it is with, is not deleted by any way, not even with its account. (Code SC001: scrm/dispatch.py says it in words.)
create function refuse_held() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(125780069804398);
  if exists (select from legal_hold h where h.lifted_at is null and (h.ends_at is null or h.ends_at > now()) and case h.kind
      when 'customer' then h.customer_id = case tg_table_name when 'contact' then (to_jsonb(old) ->> 'customer_id')::bigint
        else (select k.customer_id from contact k where k.id = (to_jsonb(old) ->> 'contact_id')::bigint) end
      when 'conversation' then tg_table_name = 'conversation' and h.conversation_id = old.id
      when 'period' then tg_table_name = 'conversation' and exists (select from message m where m.conversation_id = old.id
        and (h.since is null or m.sent_at >= h.since) and (h.until is null or m.sent_at < h.until))
      else tg_table_name = 'conversation' and (exists (select from message m where m.conversation_id = old.id and m.sender_agent_id = h.agent_id)
        or exists (select from conversation_event e where e.conversation_id = old.id and (e.assignee_id = h.agent_id or e.agent_id = h.agent_id))
        or h.agent_id = (to_jsonb(old) ->> 'assignee_id')::bigint
        or exists (select from agent_identity i join account a on a.connection_id = i.connection_id and a.external_id = i.external_id
          where i.agent_id = h.agent_id and a.id = (to_jsonb(old) ->> 'account_id')::bigint)) end) then
    raise exception 'a legal hold keeps this' using errcode = 'SC001';
  end if;
  return old;
end $$;
create trigger conversation_held before delete on conversation for each row execute function refuse_held();
create trigger contact_held before delete on contact for each row execute function refuse_held();
-- A person's data erased on request: what was found, what became of it and why. The name is not kept.
create table erasure (
  id            bigint generated always as identity primary key,
  customer_id   bigint not null,
  state         text not null default 'planned' check (state in ('planned', 'running', 'done', 'cancelled')),
  reason        text not null,
  asked_by      bigint references agent on delete set null,
  asked_at      timestamptz not null,
  confirmed_by  bigint references agent on delete set null,
  confirmed_at  timestamptz,
  finished_at   timestamptz,
  report        jsonb not null default '{}',
  client_token  text not null unique
);
create index erasure_running on erasure (id) where state = 'running';
-- Files that nobody refers to any more, on their way out: `removing_at` is set before the bytes go, and whoever stores the same bytes meanwhile
-- takes them out of here, or is told to come again.
create table blob_leaving (
  sha256       text primary key,
  since        timestamptz not null,
  removing_at  timestamptz,
  removed_at   timestamptz
);
create index attachment_sha256 on attachment (sha256) where sha256 is not null;
create function blob_stays() returns trigger language plpgsql as $$
begin
  delete from blob_leaving where sha256 = new.sha256 and removing_at is null;
  if exists (select from blob_leaving where sha256 = new.sha256) then
    raise exception 'these bytes are just being removed' using errcode = '53000';
  end if;
  return new;
end $$;
create trigger blob_comes before insert on blob for each row execute function blob_stays();

-- ---------------------------------------------------------------- evidence
-- A chain of hashes over what was said and done (audit/evidence). A leaf is the SHA-256 of one line about a row, a block the root of the tree
-- over its leaves, held together by the hash of the block before and signed. Nothing in it ever changes.
create table evidence_key (
  id           bigint generated always as identity primary key,
  public_key   bytea not null unique,
  fingerprint  text not null,
  private_key  bytea,
  endorsed     bytea not null,
  made_at      timestamptz not null,
  retired_at   timestamptz
);
create unique index evidence_key_current on evidence_key ((true)) where retired_at is null;
create table evidence_block (
  number     bigint primary key,
  previous   bytea not null,
  root       bytea not null,
  leaves     int not null check (leaves > 0),
  sealed_at  timestamptz not null,
  key_id     bigint not null references evidence_key,
  hash       bytea not null,
  signature  bytea not null
);
create table evidence_leaf (
  block     bigint not null,
  position  int not null,
  kind      text not null,
  ref_id    bigint not null,
  sha256    bytea not null,
  primary key (block, position),
  unique (kind, ref_id)
);
-- What cannot be sealed yet: a file on its way, a record that lacks its key, an answer that is not sent.
create table evidence_waiting (
  kind     text not null,
  ref_id   bigint not null,
  look_at  timestamptz not null,
  tries    int not null default 0,
  primary key (kind, ref_id)
);
create index evidence_waiting_due on evidence_waiting (look_at);
-- What was removed on purpose; its leaf stays.
create table evidence_tombstone (
  id          bigint generated always as identity primary key,
  kind        text not null,
  ref_id      bigint not null,
  sha256      bytea not null,
  reason      text not null,
  agent_id    bigint,
  removed_at  timestamptz not null,
  unique (kind, ref_id)
);
-- One row: whoever locks it writes the chain. And what the last check found, and where the head was anchored.
create table evidence_state (
  one             boolean primary key default true check (one),
  checked_at      timestamptz,
  report          jsonb,
  anchored_block  bigint,
  anchored_hash   bytea,
  anchored_at     timestamptz,
  anchor_trouble  text not null default ''
);
insert into evidence_state default values;
create trigger evidence_block_append_only before update or delete or truncate on evidence_block
  for each statement execute function refuse_change();
create trigger evidence_leaf_append_only before update or delete or truncate on evidence_leaf
  for each statement execute function refuse_change();
create trigger evidence_tombstone_append_only before update or delete or truncate on evidence_tombstone
  for each statement execute function refuse_change();
alter table evidence_block enable always trigger evidence_block_append_only;
alter table evidence_leaf enable always trigger evidence_leaf_append_only;
alter table evidence_tombstone enable always trigger evidence_tombstone_append_only;
-- An archived record stays as it came and as it was opened. Emptied it is only by audit.evidence.tombstones.bury.
create function archive_record_stays() returns trigger language plpgsql as $$
begin
  if (new.id, new.connection_id, new.seq, new.message_id, new.key_version) is not distinct from
      (old.id, old.connection_id, old.seq, old.message_id, old.key_version)
    and ((new.sealed_key, new.sealed_message) = (old.sealed_key, old.sealed_message) and (old.record is null or new.record = old.record)
      or new.sealed_key = '' and new.sealed_message = '' and new.record is null and coalesce(current_setting('scrm.removing', true), '') <> '') then
    return new;
  end if;
  raise exception 'an archived record is append-only; audit.evidence.tombstones.bury removes its content' using errcode = 'restrict_violation';
end $$;
create trigger archive_record_stays before update of id, connection_id, seq, message_id, key_version, sealed_key, sealed_message, record
  on archive_record for each row execute function archive_record_stays();
create trigger archive_record_not_removed before delete or truncate on archive_record for each statement execute function refuse_change();
alter table archive_record enable always trigger archive_record_stays;
alter table archive_record enable always trigger archive_record_not_removed;
-- Messages and files that go with their customer or connection, when whoever deletes these says so (scrm.removing).
create function buried_with_rows() returns trigger language plpgsql as $$
begin
  if coalesce(current_setting('scrm.removing', true), '') <> '' then
    with gone as (
      insert into evidence_tombstone (kind, ref_id, sha256, reason, removed_at)
      select l.kind, l.ref_id, l.sha256, current_setting('scrm.removing'), now() from old_rows o
      join evidence_leaf l on l.ref_id = o.id and l.kind = any(tg_argv) order by l.kind, l.ref_id on conflict do nothing returning id
    ) insert into evidence_waiting (kind, ref_id, look_at) select 'tombstone', id, now() from gone;
  end if;
  return null;
end $$;
create trigger message_buried after delete on message referencing old table as old_rows
  for each statement execute function buried_with_rows('message', 'recall');
create trigger attachment_buried after delete on attachment referencing old table as old_rows
  for each statement execute function buried_with_rows('media');
-- Conversations whose evidence somebody collects. `from_seq` 1 and `to_seq` null: the whole of it, as long as it grows.
create table evidence_pick (
  id               bigint generated always as identity primary key,
  agent_id         bigint not null references agent on delete cascade,
  conversation_id  bigint not null references conversation on delete cascade,
  from_seq         bigint not null,
  to_seq           bigint,
  added_at         timestamptz not null,
  unique nulls not distinct (agent_id, conversation_id, from_seq, to_seq)
);
create table evidence_export (
  id            bigint generated always as identity primary key,
  agent_id      bigint not null references agent on delete cascade,
  name          text not null,
  note          text not null,
  data          jsonb not null,
  state         text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'expired')),
  done          bigint not null default 0,
  total         bigint,
  sha256        text,
  size          bigint,
  client_token  text not null,
  created_at    timestamptz not null,
  finished_at   timestamptz,
  expires_at    timestamptz,
  unique (agent_id, client_token)
);
