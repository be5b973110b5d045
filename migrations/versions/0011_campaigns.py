"""Campaigns: what was written, its runs, the calls of platforms, and the ledger of deliveries with its counts."""

from scrm.migrate import run_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
-- What a marketer wrote: words, to whom, when. It sends nothing itself: each time it is due it makes a run, which freezes all this.
-- draft -> waiting (for a second person) -> scheduled -> running <-> paused -> done; cancelled from anywhere before done.
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
  deleted_at     timestamptz
);
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
  unique (campaign_id, due_at)
);
create index campaign_run_open on campaign_run (id) where state in ('freezing', 'running');

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
  finished_at      timestamptz
);
create unique index broadcast_ticket_platform on broadcast_ticket (connection_id, platform_id) where platform_id is not null;
create index broadcast_ticket_due on broadcast_ticket (due_at) where state in ('queued', 'doubt');
create index broadcast_ticket_leased on broadcast_ticket (lease_until) where state = 'calling';
create index broadcast_ticket_look on broadcast_ticket (look_at) where state = 'asked' and look_at is not null;
create index broadcast_ticket_run on broadcast_ticket (run_id, account_id, part);

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
create index delivery_ticket on delivery (ticket_id, contact_id) where ticket_id is not null;
create index delivery_message on delivery (message_id) where message_id is not null;
-- What platforms and our own cap count: whoever was (or may have been) reached, and when.
create index delivery_counted on delivery (contact_id, counted_at) where counted_at is not null and contact_id is not null;
create index delivery_counted_customer on delivery (customer_id, counted_at) where counted_at is not null and customer_id is not null;
create index delivery_of_customer on delivery (customer_id, id desc) where customer_id is not null;

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

-- Customers whom no campaign may reach while it lasts: they asked for it, or a complaint of theirs is open.
create table campaign_hold (
  id           bigint generated always as identity primary key,
  customer_id  bigint not null references customer on delete cascade,
  kind         text not null check (kind in ('opted_out', 'complaint')),
  note         text not null default '',
  by_id        bigint references agent on delete set null,
  at           timestamptz not null,
  ended_at     timestamptz,
  ended_by     bigint references agent on delete set null
);
create unique index campaign_hold_open on campaign_hold (customer_id, kind) where ended_at is null;

-- A list of people that somebody uploaded, or that was picked by hand, for campaigns.
create table campaign_list (
  id          bigint generated always as identity primary key,
  name        text not null,
  created_by  bigint references agent on delete set null,
  created_at  timestamptz not null,
  n           int not null default 0,
  unknown     int not null default 0,
  deleted_at  timestamptz
);
create table campaign_list_member (
  list_id      bigint not null references campaign_list on delete cascade,
  customer_id  bigint not null references customer on delete cascade,
  primary key (list_id, customer_id)
);
"""
