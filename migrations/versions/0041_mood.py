"""Words counted before messages had a mood are counted anew, beside the counts that are shown until then."""

from scrm.migrate import run_sql

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    run_sql(SQL)


SQL = """
insert into word_book (state, words, stops, started_at)
select 'building', coalesce(array_agg(word) filter (where kind = 'word'), '{}'), coalesce(array_agg(word) filter (where kind = 'stop'), '{}'), now()
from word_entry having exists (select from word_book where state = 'live') on conflict do nothing;
"""
