"""Lists of phone numbers that employees add by hand, a share a day."""

from scrm.migrate import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
-- Lists of phone numbers that employees add by hand, in their own app: nothing here adds anybody. `left_out` counts, by reason, the lines
-- of the list that were not taken. `per_day`: how many one employee is given of it on a day.
create table invite_batch (
  id            bigint generated always as identity primary key,
  client_token  text not null,
  name          text not null,
  greeting      text not null default '',
  first_day     date not null,
  per_day       int not null check (per_day between 1 and 200),
  n             int not null default 0,
  left_out      jsonb not null default '{}',
  created_by    bigint references agent on delete set null,
  created_at    timestamptz not null,
  ended_at      timestamptz
);
create unique index invite_batch_token on invite_batch (created_by, client_token);
create index invite_batch_newest on invite_batch (created_at desc, id desc);
-- One number. `day`: for when it was planned; what is left of a day is done on the next. A number stands in one list only, the index decides.
-- `accepted`: the platform told of the relation with that employee; `elsewhere`: with another one.
create table invite (
  id           bigint generated always as identity primary key,
  batch_id     bigint not null references invite_batch on delete cascade,
  phone        text not null check (phone ~ '^\+[0-9]{5,15}$'),
  name         text not null default '',
  agent_id     bigint not null references agent on delete cascade,
  day          date not null,
  state        text not null default 'open'
    check (state in ('open', 'sent', 'not_found', 'refused', 'wrong_number', 'accepted', 'elsewhere', 'cancelled')),
  copies       int not null default 0,
  done_at      timestamptz,
  done_day     date,
  accepted_at  timestamptz,
  customer_id  bigint references customer on delete set null,
  account_id   bigint references account on delete set null,
  created_at   timestamptz not null
);
create unique index invite_phone on invite (phone) where state <> 'cancelled';
create index invite_batch_day on invite (batch_id, day, id);
create index invite_open on invite (agent_id, day, id) where state = 'open';
create index invite_waits on invite (created_at) where state in ('open', 'sent', 'not_found', 'refused', 'wrong_number');
create index invite_customer on invite (customer_id) where customer_id is not null;
"""
