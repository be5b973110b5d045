"""The index of posts by contact serves also when contacts go away with their connection."""

from scrm.migrate import run_sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
drop index delivery_counted;
create index delivery_counted on delivery (contact_id, counted_at) where contact_id is not null;
"""
