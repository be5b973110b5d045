"""Follow-ups keep what they said before, tasks follow each other once, and the report of what was done finds its rows."""

from scrm.migrate import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
-- `edits`: what was written before each correction. `previous_id`: the task whose being done made this one, at most once.
alter table follow_up add column edits jsonb not null default '[]';
alter table task add column previous_id bigint references task on delete set null;
alter table task add column client_token text;
create unique index task_next_once on task (previous_id) where previous_id is not null;
create unique index task_once on task (created_by, client_token) where client_token is not null;
create index task_follow_up on task (follow_up_id) where follow_up_id is not null;
create index task_answered on task (done_by_id) where done_by_id is not null;
create index task_finished on task (done_at, id) where state = 'done';
create index task_was_due on task (due_at, id) where state = 'done' and done_at > due_at;
"""
