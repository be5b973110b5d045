"""Quality inspection: plans, samples, scores and appeals; and hot words, counted by day."""

from scrm.migrate import run_sql

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
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
create table quality_mark (
  sample_id  bigint not null references quality_sample on delete cascade,
  item       text not null,
  points     int not null check (points >= 0),
  most       int not null,
  vetoed     boolean not null,
  comment    text not null,
  primary key (sample_id, item)
);
create table quality_event (
  id         bigint generated always as identity primary key,
  sample_id  bigint not null references quality_sample on delete cascade,
  at         timestamptz not null,
  agent_id   bigint references agent on delete set null,
  what       text not null,
  detail     jsonb not null default '{}'
);
create index quality_event_sample on quality_event (sample_id, id);


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
"""
