"""Stages, tags and reports: how many customers there are, what rules did, sums by day."""

from scrm.migrate import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
alter table stage_history add column owner_id bigint references agent on delete set null;

create index customer_stage on customer (stage_id, (coalesce(stage_at, created_at)) desc, id desc)
  where merged_into is null and deleted_at is null;
create index customer_stage_owner on customer (owner_id, stage_id, (coalesce(stage_at, created_at)) desc, id desc)
  where merged_into is null and deleted_at is null;
create index customer_created on customer (created_at) where merged_into is null and deleted_at is null;
create index contact_link_left on contact_link (ended_at) where state = 'deleted_by_contact';

-- How many customers there are by tag (null: all of them, once), stage and owner, and what they are worth. Every change adds its
-- differences; the sums are what is told. Merged customers and those in the recycle bin do not count.
create table customer_tally (
  id         bigint generated always as identity primary key,
  tag_id     bigint,
  stage_id   bigint,
  owner_id   bigint,
  n          bigint not null,
  value_fen  numeric not null
);

-- Customers about whom something changed that rules or figures ask for. Emptied by those who read it (customers/rules/watch.py).
create table customer_touch (
  id           bigint generated always as identity primary key,
  customer_id  bigint not null
);

create function customer_counted_insert() returns trigger language plpgsql as $$
begin
  insert into customer_tally (tag_id, stage_id, owner_id, n, value_fen)
  select t.tag_id, r.stage_id, r.owner_id, count(*), coalesce(sum(r.value_fen), 0) from new_rows r
    cross join lateral (select null::bigint as tag_id union all select unnest(r.tags)) t
  where r.merged_into is null and r.deleted_at is null group by 1, 2, 3;
  insert into customer_touch (customer_id) select id from new_rows;
  return null;
end $$;

create function customer_counted_update() returns trigger language plpgsql as $$
declare
  changed bigint[];
begin
  select array_agg(n.id) into changed from old_rows o join new_rows n on n.id = o.id
  where (o.stage_id, o.owner_id, o.value_fen, o.tags, o.source, o.merged_into, o.deleted_at, o.created_at)
    is distinct from (n.stage_id, n.owner_id, n.value_fen, n.tags, n.source, n.merged_into, n.deleted_at, n.created_at);
  if changed is null then return null; end if;
  insert into customer_tally (tag_id, stage_id, owner_id, n, value_fen)
  select t.tag_id, r.stage_id, r.owner_id, sum(r.n), sum(r.n * coalesce(r.value_fen, 0)) from (
    select tags, stage_id, owner_id, value_fen, 1 as n from new_rows
    where id = any(changed) and merged_into is null and deleted_at is null
    union all
    select tags, stage_id, owner_id, value_fen, -1 from old_rows
    where id = any(changed) and merged_into is null and deleted_at is null
  ) r cross join lateral (select null::bigint as tag_id union all select unnest(r.tags)) t
  group by 1, 2, 3 having sum(r.n) <> 0 or sum(r.n * coalesce(r.value_fen, 0)) <> 0;
  insert into customer_touch (customer_id) select unnest(changed);
  return null;
end $$;

create function customer_counted_delete() returns trigger language plpgsql as $$
begin
  insert into customer_tally (tag_id, stage_id, owner_id, n, value_fen)
  select t.tag_id, r.stage_id, r.owner_id, -count(*), -coalesce(sum(r.value_fen), 0) from old_rows r
    cross join lateral (select null::bigint as tag_id union all select unnest(r.tags)) t
  where r.merged_into is null and r.deleted_at is null group by 1, 2, 3;
  return null;
end $$;

create trigger customer_counted_insert after insert on customer
  referencing new table as new_rows for each statement execute function customer_counted_insert();
create trigger customer_counted_update after update on customer
  referencing old table as old_rows new table as new_rows for each statement execute function customer_counted_update();
create trigger customer_counted_delete after delete on customer
  referencing old table as old_rows for each statement execute function customer_counted_delete();

create function customer_touched_by_follow_up() returns trigger language plpgsql as $$
begin
  insert into customer_touch (customer_id) select distinct customer_id from new_rows;
  return null;
end $$;
create trigger customer_touched_by_follow_up after insert on follow_up
  referencing new table as new_rows for each statement execute function customer_touched_by_follow_up();

create function customer_touched_by_link() returns trigger language plpgsql as $$
begin
  insert into customer_touch (customer_id)
  select distinct k.customer_id from new_rows n join contact k on k.id = n.contact_id;
  return null;
end $$;
create trigger customer_touched_by_new_link after insert on contact_link
  referencing new table as new_rows for each statement execute function customer_touched_by_link();

create function customer_touched_by_changed_link() returns trigger language plpgsql as $$
begin
  insert into customer_touch (customer_id)
  select distinct k.customer_id from new_rows n join old_rows o on o.id = n.id join contact k on k.id = n.contact_id
  where (o.state, o.source, o.ended_at) is distinct from (n.state, n.source, n.ended_at);
  return null;
end $$;
create trigger customer_touched_by_changed_link after update on contact_link
  referencing old table as old_rows new table as new_rows for each statement execute function customer_touched_by_changed_link();

create function customer_touched_by_conversation() returns trigger language plpgsql as $$
begin
  insert into customer_touch (customer_id)
  select distinct k.customer_id from new_rows n join contact k on k.id = n.contact_id;
  return null;
end $$;
create trigger customer_touched_by_conversation after insert on conversation
  referencing new table as new_rows for each statement execute function customer_touched_by_conversation();

-- Which customer a rule did something with, and when last: what it did once it does again only for a newer cause.
create table rule_hit (
  rule_id      bigint not null references customer_rule on delete cascade,
  customer_id  bigint not null references customer on delete cascade,
  at           timestamptz not null,
  n            int not null default 1,
  primary key (rule_id, customer_id)
);
create index rule_hit_customer on rule_hit (customer_id);

-- How far a reader of a table has come. What is up to `next_id` is read once every transaction before `next_xid` has ended: ids are
-- handed out in one order and committed in another.
create table reading_place (
  name      text primary key,
  last_id   bigint not null,
  next_id   bigint,
  next_xid  xid8
);

-- Days (hours, to be exact: where a day begins is the company's decision) whose sums are to be counted again.
create table report_due (
  id    bigint generated always as identity primary key,
  hour  timestamptz not null
);

-- Sums by day in the company's time zone, whose customers they are (0: nobody's) and where these came from. Counted again from the
-- customers themselves whenever something of the day changes.
create table customer_day (
  day       date not null,
  owner_id  bigint not null,
  source    text not null,
  made      int not null default 0,
  gone      int not null default 0,
  primary key (day, owner_id, source)
);

-- Customers made that day by the furthest stage they were ever in (0: none), lost ones apart.
create table stage_cohort (
  day       date not null,
  owner_id  bigint not null,
  stage_id  bigint not null,
  n         int not null,
  lost      int not null default 0,
  primary key (day, owner_id, stage_id)
);

-- Moves of that day; whose the customer was then. `seconds`: all the time spent in the former stage.
create table stage_day (
  day       date not null,
  owner_id  bigint not null,
  from_id   bigint not null,
  to_id     bigint not null,
  n         int not null,
  seconds   bigint not null,
  primary key (day, owner_id, from_id, to_id)
);

insert into customer_tally (tag_id, stage_id, owner_id, n, value_fen)
select t.tag_id, r.stage_id, r.owner_id, count(*), coalesce(sum(r.value_fen), 0) from customer r
  cross join lateral (select null::bigint as tag_id union all select unnest(r.tags)) t
where r.merged_into is null and r.deleted_at is null group by 1, 2, 3;
insert into report_due (hour) select distinct date_trunc('hour', created_at) from customer;
"""
