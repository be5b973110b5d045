"""Customers and groups are found by pinyin and initials."""

from scrm.migrate import run_sql

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
create table spelled_name (
  kind  text not null check (kind in ('customer', 'group')),
  id    bigint not null,
  key   text not null,
  primary key (kind, id, key)
);
create index spelled_name_key on spelled_name (kind, key text_pattern_ops);
"""
