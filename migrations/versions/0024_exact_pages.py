"""Pages of a run's recipients by state and reason, without looking at those between."""

from scrm.migrate import run_sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
create index delivery_of_run on delivery (run_id, state, reason, id);
"""
