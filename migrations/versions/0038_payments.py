"""Money that was seen, what was said of it, and how far bills are read."""

from scrm.migrate import run_sql

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
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
"""
