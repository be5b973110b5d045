"""Lists of customers at any size: indexes, who sees whom, segments, views, imports and exports."""

from scrm.migrate import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
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
create index customer_company_words on customer using gin (search_keys(0, search_fold(company), true)) where company <> '';
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

-- Everybody who is there already is told of once.
insert into customer_stir (conversation_id, said_at, heard_at)
select m.conversation_id, max(m.sent_at), max(m.sent_at) filter (where m.direction = 'in')
from message m join conversation c on c.id = m.conversation_id
where c.contact_id is not null and m.direction in ('in', 'out') group by 1;
insert into customer_stir (customer_id) select distinct customer_id from contact;
"""
