"""Runs that fail are put aside one by one, follow-ups are folded up to a mark, and what the ledger asks for every second has its index."""

from scrm.migrate import run_sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
-- A step of a run that failed inside the service: it is tried again at `until`, and other runs go on.
create table campaign_aside (
  run_id  bigint not null references campaign_run on delete cascade,
  step    text not null check (step in ('freeze', 'replies', 'tickets', 'calls', 'watch', 'doubt', 'ends')),
  tries   int not null default 1,
  since   timestamptz not null,
  until   timestamptz not null,
  error   text not null default '',
  primary key (run_id, step)
);

-- Follow-ups up to this one have been looked at for posts before them.
create table campaign_followed (
  id    int primary key default 1 check (id = 1),
  mark  bigint not null
);
insert into campaign_followed (mark) select coalesce(max(id), 0) from follow_up;

alter table campaign_run add column swept_at timestamptz;
create index campaign_run_unswept on campaign_run (id) where state = 'cancelled' and swept_at is null;

-- Messages under way, however many others wait for their members.
create index delivery_answering on delivery (run_id, id) where state = 'sending' and way = 'reply';
-- Their account is gone.
create index delivery_orphan on delivery (run_id) where account_id is null and state in ('planned', 'sending', 'asked');
create index broadcast_ticket_called on broadcast_ticket (connection_id, called_at) where called_at is not null;
"""
