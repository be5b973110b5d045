"""Titles and names of files are found by any characters in them, and what was recalled by its index."""

from scrm.migrate import run_sql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
create function content_words(content jsonb) returns text language sql immutable parallel safe strict
  return coalesce((select string_agg(found.value #>> '{}', E'\x1f' order by found.place)
    from jsonb_path_query(content, 'strict $.** ? (@.type() == "object").keyvalue() ? (@.key == "title" || @.key == "description"
      || @.key == "name" || @.key == "text" || @.key == "address" || @.key == "wish" || @.key == "filename" || @.key == "files"
      || @.key == "company" || @.key == "nickname" || @.key == "topic" || @.key == "votetitle" || @.key == "voteitem"
      ).value.** ? (@.type() == "string")') with ordinality found (value, place)), '');

create index message_called on message using gin (search_keys(id >> 20, search_fold(content_words(content)), true))
  with (gin_pending_list_limit = 256) where content <> '{}';
create index attachment_called on attachment using gin (search_keys(message_id >> 20, search_fold(name), true))
  with (gin_pending_list_limit = 256) where name <> '' and message_id is not null;
create index message_recalled on message (id) where recalled_at is not null;
"""
