"""A chain of hashes over what was said and done; archived records stay as they came."""

from scrm.migrate import run_sql

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
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
"""
