"""Names are found by triples of their characters: a pair may be in very many of them."""

from scrm.migrate import run_sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
create function name_keys(words text, asked boolean) returns bigint[]
  language plpgsql immutable parallel safe strict as $$
declare
  found bigint[] := '{}';
  last bigint := 0;
  before bigint := 0;
  code bigint;
  one text;
  longest int := case when asked then least(char_length(words), 3) else 0 end;
begin
  foreach one in array string_to_array(words, null) loop
    code := ascii(one);
    if last > 0 and longest in (0, 3) then found := found || ((last << 42) | (before << 21) | code); end if;
    if before > 0 and longest in (0, 2) then found := found || ((before << 21) | code); end if;
    if longest in (0, 1) then found := found || (code << 21); end if;
    last := before;
    before := code;
  end loop;
  return found;
end $$;

drop index contact_words;
create index contact_words on contact using gin (name_keys(search_fold(name), false)) where name <> '';
drop index customer_words;
create index customer_words on customer using gin (name_keys(search_fold(name || ' ' || remark), false));
drop index conversation_group_words;
create index conversation_group_words on conversation using gin (name_keys(search_fold(group_name), false))
  where group_key <> '';
drop index customer_company_words;
create index customer_company_words on customer using gin (name_keys(search_fold(company), false)) where company <> '';
"""
