"""Rules that look at what people write and do, what they found, and alerts that people work on."""

from scrm.migrate import run_sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
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
-- rule stand there, in the same order.
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
"""
