"""The chat archive."""

from scrm.migrate import run_sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
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
create table archive_key (
  connection_id  bigint not null references connection on delete cascade,
  version        int not null check (version > 0),
  private_key    bytea not null,
  fingerprint    text not null,
  added_by       bigint references agent on delete set null,
  added_at       timestamptz not null,
  primary key (connection_id, version)
);
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
"""
