"""What hangs off a customer, in one list: merging, splitting and undoing walk over it, and a test compares it with the database, so that
a table that is added later cannot be forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass

CONVERSATIONS = "select c.id from conversation c where c.contact_id = any($3::bigint[])"


@dataclass(frozen=True, slots=True)
class Belonging:
    """A table whose rows are a customer's and go where the customer goes.

    ``key`` tells one row of a customer from another. ``follows``: which rows of ``t`` go along with contacts ($3) that move to the
    customer $2, said after the tables above it were moved; empty: none, they stay with the customer. ``once``: a column that is unique
    within a customer; of two rows the one of the merged customer stays where it is. ``also_once``: another such column.
    """

    table: str
    key: str = "id"
    follows: str = ""
    once: str = ""
    also_once: str = ""


# In this order: what comes later may follow what came before.
MOVES: tuple[Belonging, ...] = (
    Belonging("contact", follows="t.id = any($3::bigint[])"),
    Belonging(
        "customer_union",
        "union_id",
        follows="exists (select from contact k where k.union_id = t.union_id and k.customer_id = $2) "
        "and not exists (select from contact k where k.union_id = t.union_id and k.customer_id = $1)",
    ),
    Belonging("phone_number", once="phone"),
    Belonging("follow_up", follows=f"t.conversation_id in ({CONVERSATIONS})"),
    Belonging(
        "task",
        follows="(t.follow_up_id in (select f.id from follow_up f where f.customer_id = $2) "
        "or t.done_by_id in (select f.id from follow_up f where f.customer_id = $2))",
    ),
    Belonging("notification", follows=f"t.conversation_id in ({CONVERSATIONS})"),
    Belonging(
        "timeline",
        follows="(t.contact_id = any($3::bigint[]) "
        "or (t.object_kind = 'follow_up' and t.object_id in (select f.id from follow_up f where f.customer_id = $2)) "
        "or (t.object_kind = 'task' and t.object_id in (select f.id from task f where f.customer_id = $2)))",
    ),
    Belonging("stage_history"),
    Belonging("owner_history"),
    Belonging("customer_file"),
    Belonging("rule_hit", "rule_id", once="rule_id"),
    Belonging("campaign_hold", once="open_kind"),
    Belonging("campaign_list_member", "list_id", once="list_id"),
    Belonging("invite"),
    Belonging("legal_hold"),
    Belonging("sop_entry", once="occasion", also_once="open_sop"),
    Belonging("sop_step"),
    Belonging("moment_reaction", follows="t.contact_id = any($3::bigint[])"),
    Belonging("delivery", follows="t.contact_id = any($3::bigint[])", once="run_id"),
)

STAYS: dict[tuple[str, str], str] = {
    ("erasure", "customer_id"): "says whose data was erased then, under their number of then",
    ("customer", "merged_into"): "leads from a merged customer to where it went",
    ("customer_merge", "into_id"): "the log of merges itself",
    ("customer_apart", "low_id"): "two that somebody said are two",
    ("customer_apart", "high_id"): "two that somebody said are two",
    ("customer_entry", "customer_id"): "says what somebody entered; its number leads to where it went",
    ("customer_key", "customer_id"): "made anew from the customer",
    ("duplicate", "low_id"): "a suggestion; those about merged customers are not shown",
    ("duplicate", "high_id"): "a suggestion; those about merged customers are not shown",
    ("customer_stir", "customer_id"): "a queue that is read at once, and read again after the move",
    ("customer_touch", "customer_id"): "a queue that is read at once, and read again after the move",
    ("handover_item", "customer_id"): "says what was handed over then, under its number of then",
}
"""Columns with a customer's id that stay as they are, and why."""
