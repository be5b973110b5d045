"""What an employee sees of themselves: results that stand, and whether they may still appeal. Nobody else's, and no chat they do not reach."""

from __future__ import annotations

from audit.quality.views import MyResult, MyResults
from scrm.db import Row, Tx
from scrm.errors import NotFound

MOST = 200
MINE = """
select s.*, coalesce(nullif(c.group_name, ''), nullif(k.name, ''), '') as name, v.items, v.pass_percent, coalesce((
    select jsonb_agg(jsonb_build_object('item', m.item, 'points', m.points, 'most', m.most, 'vetoed', m.vetoed, 'comment', m.comment))
    from quality_mark m where m.sample_id = s.id
  ), '[]') as marks
from quality_sample s join quality_sheet_version v on v.id = s.sheet_version_id join conversation c on c.id = s.conversation_id left join contact k on k.id = c.contact_id
where s.agent_id = $1 and s.state <> 'due' and ($2::bigint is null or s.id = $2) order by s.scored_at desc, s.id desc limit $3
"""


async def my_results(tx: Tx, agent_id: int) -> MyResults:
    """The last ones, with their average."""
    rows = await tx.fetch(MINE, agent_id, None, MOST)
    average = round(sum(row["percent"] for row in rows) / len(rows), 1) if rows else None
    return MyResults(results=[_view(row) for row in rows], average=average)


async def my_result(tx: Tx, agent_id: int, sample_id: int) -> MyResult:
    """Raises :class:`NotFound`."""
    row = await tx.fetchrow(MINE, agent_id, sample_id, 1)
    if row is None:
        raise NotFound("There is no such result.")
    return _view(row)


def _view(row: Row) -> MyResult:
    values = {name: row[name] for name in MyResult.model_fields if name != "may_appeal"}
    may_appeal = row["appealed_at"] is None and row["state"] in ("scored", "reviewed")
    return MyResult.model_validate({**values, "may_appeal": may_appeal})
