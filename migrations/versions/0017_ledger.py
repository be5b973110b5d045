"""Indexes for what is due of a run, for answers to its posts, and for reading its ledger."""

from scrm.migrate import run_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
create index delivery_due on delivery (run_id, way, due_at, id) where state = 'planned';
create index delivery_waits on delivery (contact_id, sent_at) where state = 'sent' and replied_at is null and contact_id is not null;
create index delivery_page on delivery (run_id, id);
create index delivery_page_by_state on delivery (run_id, state, id);
"""
