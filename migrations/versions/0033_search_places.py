"""A map of the archive: what can be where. And notes that were corrected are found by what they say now."""

from scrm.migrate import run_sql

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
create table search_place (
  key       bigint not null,
  block     bigint not null,
  segments  bit(128) not null,
  primary key (key, block)
);
create table search_segment (
  segment     bigint primary key,
  first_sent  timestamptz not null,
  last_sent   timestamptz not null
);
update message_text t set words = search_fold(m.text) from message m
where m.id = t.message_id and m.direction = 'note' and m.content ? 'edits';
"""
