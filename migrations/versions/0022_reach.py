"""Lists of people are uploaded, and the lines that named nobody are kept."""

from scrm.migrate import run_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
alter table campaign_list add column client_token text, add column twice int not null default 0;
create unique index campaign_list_token on campaign_list (created_by, client_token);
create index campaign_list_newest on campaign_list (created_at desc, id desc) where deleted_at is null;
-- Lines that named nobody whom the uploader saw.
create table campaign_list_missing (
  list_id  bigint not null references campaign_list on delete cascade,
  number   int not null,
  text     text not null,
  primary key (list_id, number)
);
"""
