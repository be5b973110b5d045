"""Who is archived, which customers agreed to it, and who opened a chat for audit."""

from scrm.migrate import run_sql

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
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
create table archive_permit (
  connection_id  bigint not null references connection on delete cascade,
  external_id    text not null,
  since          timestamptz not null,
  until          timestamptz,
  primary key (connection_id, external_id)
);
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
create table audit_look (
  agent_id         bigint not null references agent on delete cascade,
  conversation_id  bigint not null references conversation on delete cascade,
  looked_at        timestamptz not null,
  primary key (agent_id, conversation_id)
);
"""
