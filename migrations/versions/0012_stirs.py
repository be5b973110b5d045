"""What waits to be told to customers is found by whom it is about, so that many messages of one customer become one change."""

from scrm.migrate import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql(SQL)


SQL = r"""
create index customer_stir_conversation on customer_stir (conversation_id);
create index customer_stir_customer on customer_stir (customer_id) where conversation_id is null;
"""
