"""Merging and splitting customers with a log that takes back, duplicates, and files of customers."""

from scrm.migrate import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
-- What made one customer of several, or several of one, with all that is needed to take it back: the customers as they were (`before`)
-- and as they became (`after`), and which rows moved. `reason` of what was joined by itself: union or phone.
create table customer_merge (
  id         bigint generated always as identity primary key,
  kind       text not null check (kind in ('merged', 'joined', 'split')),
  into_id    bigint not null references customer on delete cascade,
  from_ids   bigint[] not null,
  by_id      bigint references agent on delete set null,
  reason     text not null default '',
  data       jsonb not null,
  at         timestamptz not null,
  undone_at  timestamptz,
  undone_by  bigint references agent on delete set null
);
create index customer_merge_into on customer_merge (into_id, id desc);
create index customer_merge_from on customer_merge using gin (from_ids);

-- Two customers that somebody said are two: they are neither suggested nor joined by themselves.
create table customer_apart (
  low_id   bigint not null references customer on delete cascade,
  high_id  bigint not null references customer on delete cascade,
  by_id    bigint references agent on delete set null,
  at       timestamptz not null,
  primary key (low_id, high_id),
  check (low_id < high_id)
);
create index customer_apart_high on customer_apart (high_id);

-- What customers are compared by, to find those who may be one: made from the customer by the program (customers/identity/keys.py).
create table customer_key (
  customer_id  bigint not null references customer on delete cascade,
  kind         text not null check (kind in ('name_company', 'name_city', 'name')),
  key          text not null,
  primary key (customer_id, kind)
);
create index customer_key_same on customer_key (kind, key);

-- Customers who may be one, and why.
create table duplicate (
  id        bigint generated always as identity primary key,
  low_id    bigint not null references customer on delete cascade,
  high_id   bigint not null references customer on delete cascade,
  reasons   text[] not null,
  score     int not null,
  found_at  timestamptz not null,
  unique (low_id, high_id),
  check (low_id < high_id)
);
create index duplicate_best on duplicate (score desc, id desc);
create index duplicate_high on duplicate (high_id);

-- Files that people keep with a customer. A deleted one stays for its undo.
create table customer_file (
  id           bigint generated always as identity primary key,
  customer_id  bigint not null references customer on delete cascade,
  sha256       text not null references blob,
  name         text not null,
  mime         text not null,
  size         bigint not null,
  width        int not null default 0,
  height       int not null default 0,
  added_by     bigint references agent on delete set null,
  created_at   timestamptz not null,
  deleted_at   timestamptz
);
create index customer_file_customer on customer_file (customer_id, id desc);

-- Entering a customer, so that asking twice is entering once.
create table customer_entry (
  agent_id      bigint not null references agent on delete cascade,
  client_token  text not null,
  customer_id   bigint references customer on delete cascade,
  at            timestamptz not null,
  primary key (agent_id, client_token)
);
create index customer_entry_customer on customer_entry (customer_id);

-- What is added to a customer while it is being merged goes where the customer went: this waits for the merge, then follows it.
create function follow_merged_customer() returns trigger language plpgsql as $$
declare
  at_id bigint := new.customer_id;
  next_id bigint;
begin
  loop
    exit when at_id is null;
    select merged_into into next_id from customer where id = at_id for key share;
    exit when next_id is null;
    at_id := next_id;
  end loop;
  new.customer_id := at_id;
  return new;
end $$;
create trigger contact_follows_merge before insert on contact for each row execute function follow_merged_customer();
create trigger phone_number_follows_merge before insert on phone_number for each row execute function follow_merged_customer();
create trigger follow_up_follows_merge before insert on follow_up for each row execute function follow_merged_customer();
create trigger task_follows_merge before insert on task for each row execute function follow_merged_customer();
create trigger notification_follows_merge before insert on notification for each row execute function follow_merged_customer();
create trigger timeline_follows_merge before insert on timeline for each row execute function follow_merged_customer();
create trigger stage_history_follows_merge before insert on stage_history for each row execute function follow_merged_customer();
create trigger owner_history_follows_merge before insert on owner_history for each row execute function follow_merged_customer();
create trigger customer_file_follows_merge before insert on customer_file for each row execute function follow_merged_customer();
create index notification_customer on notification (customer_id) where customer_id is not null;
"""
