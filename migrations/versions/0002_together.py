"""The inbox as a place where people work together: roles, events, notices, and what each part of it needs."""

from scrm.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
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

alter table agent drop constraint agent_role_check;
alter table agent add constraint agent_role_fkey foreign key (role) references role;
alter table agent add column status text not null default 'online' check (status in ('online', 'busy', 'away'));
alter table agent add column status_at timestamptz not null default now();
alter table agent add column capacity int not null default 0 check (capacity >= 0);
alter table agent add column preferences jsonb not null default '{}';
alter table agent add column seen_at timestamptz;
alter table agent add column password_at timestamptz not null default now();
alter table agent add column away_reason text not null default '' check (away_reason in ('', 'absent', 'signed_out'));

alter table conversation drop constraint conversation_status_check;
alter table conversation add constraint conversation_status_check check (status in ('open', 'snoozed', 'closed'));
alter table conversation add column collaborators bigint[] not null default '{}';
alter table conversation add column labels bigint[] not null default '{}';
alter table conversation add column assigned_at timestamptz;
alter table conversation add column transfer_to bigint references agent on delete set null;
alter table conversation add column snoozed_until timestamptz;
alter table conversation add column route_state text not null default '' check (route_state in ('', 'turn', 'due', 'queued'));
alter table conversation add column language text not null default '';
alter table conversation add column sla_policy_id bigint;
alter table conversation add column sla_kind text not null default '' check (sla_kind in ('', 'first', 'next'));
alter table conversation add column sla_due_at timestamptz;
alter table conversation add column sla_breached_at timestamptz;
alter table conversation add column answered_at timestamptz;
alter table conversation add column sla_look_at timestamptz;
alter table conversation add column survey_until timestamptz;
create index conversation_collaborator on conversation using gin (collaborators) where collaborators <> '{}';
create index conversation_label on conversation using gin (labels) where labels <> '{}';
create index conversation_snoozed on conversation (snoozed_until) where status = 'snoozed' and snoozed_until is not null;
create index conversation_route on conversation (id) where route_state in ('turn', 'due');
create index conversation_route_queued on conversation (waiting_since, id) where route_state = 'queued';
create index conversation_sla on conversation (sla_look_at) where sla_look_at is not null;

alter table message drop constraint message_direction_check;
alter table message add constraint message_direction_check check (direction in ('in', 'out', 'note'));
alter table api_token add column permissions text[];

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

alter table agent add column password_due boolean not null default false;
alter table session add column pending text not null default '' check (pending in ('', 'second'));
alter table session add column way text not null default 'password' check (way in ('password', 'platform'));

-- ---------------------------------------------------------------- the list, its views and search

create index conversation_breached on conversation (status, id) where sla_breached_at is not null;
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

-- What was said, for searching. Written by triggers with the message itself; never changed.
create table message_text (
  message_id       bigint primary key,
  conversation_id  bigint not null,
  words            text not null
);

insert into message_text (message_id, conversation_id, words)
select id, conversation_id, search_fold(text) from message where text <> '';

create index message_text_words on message_text using gin (search_keys(message_id >> 17, words, false))
  with (gin_pending_list_limit = 256);
create index contact_words on contact using gin (search_keys(0, search_fold(name), true)) where name <> '';
create index customer_words on customer using gin (search_keys(0, search_fold(name || ' ' || remark), true));
create index conversation_group_words on conversation using gin (search_keys(0, search_fold(group_name), true))
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

-- Helpers are counted as well: their conversations are among those they see.
alter table conversation_tally add column helper_id bigint;
create or replace function tally_inserted() returns trigger language plpgsql as $$
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

create or replace function tally_updated() returns trigger language plpgsql as $$
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

create or replace function tally_deleted() returns trigger language plpgsql as $$
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
"""
