"""How long what is kept, holds that beat it, the erasure of a person's data, and files that nobody refers to."""

from scrm.migrate import run_sql

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
alter table message add column removed_at timestamptz;
alter table message add column removed_for text check (removed_for in ('retention', 'erasure'));
create table removal (
  kind        text not null check (kind in ('message', 'record', 'media')),
  object_id   bigint not null,
  digest      bytea not null,
  reason      text not null check (reason in ('retention', 'erasure')),
  agent_id    bigint references agent on delete set null,
  removed_at  timestamptz not null,
  primary key (kind, object_id)
);
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
"""
