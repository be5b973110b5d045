"""Posts for campaigns that are kept with their versions, their approval and a last day."""

from scrm.migrate import run_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
alter table campaign add column saved_id bigint;
alter table campaign add column saved_version bigint;
-- Posts that are kept to be used again. Versions are never changed; `approved` is the newest that a second person approved.
-- A campaign with `saved_id` says that version as it is, and is bound by `expires_on`, the last day.
create table campaign_content (
  id          bigint generated always as identity primary key,
  name        text not null,
  latest      bigint not null default 1,
  approved    bigint,
  expires_on  date,
  created_by  bigint references agent on delete set null,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  deleted_at  timestamptz
);
create index campaign_content_newest on campaign_content (updated_at desc, id desc) where deleted_at is null;
create table campaign_content_version (
  content_id   bigint not null references campaign_content on delete cascade,
  version      bigint not null,
  content      jsonb not null,
  by_id        bigint references agent on delete set null,
  at           timestamptz not null,
  approved_by  bigint references agent on delete set null,
  approved_at  timestamptz,
  primary key (content_id, version)
);
create index campaign_saved on campaign (saved_id) where saved_id is not null;
"""
