"""From a filter to SQL. The text is made of constants; every value is a parameter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from customers.filtering import conditions, values
from customers.filtering.asking import Asking
from customers.filtering.known import OF_CUSTOM, OPS, STANDARD, Known
from customers.filtering.places import Arguments
from customers.filtering.tree import Condition, Group, check_size
from scrm.errors import Unprocessable

LISTED = "u.merged_into is null"


@dataclass(frozen=True, slots=True)
class Compiled:
    """``where`` is a condition on ``customer u`` with the places ``$1``... of ``arguments``."""

    where: str
    arguments: list[Any]


def compile(tree: Group, asking: Asking, *, deleted: bool = False, reach: bool = True) -> Compiled:
    """Customers that fit and that the asker sees; with ``deleted`` those in the recycle bin instead.

    Raises :class:`Unprocessable` naming the part that cannot be used (``filter.parts.0.value``).
    """
    arguments = Arguments()
    parts = [LISTED, f"u.deleted_at is {'not ' if deleted else ''}null"]
    if reach:
        parts.append(reach_of(asking, arguments))
    parts.append(where(tree, asking, arguments))
    return Compiled(" and ".join(part for part in parts if part != "true"), arguments.values)


def where(tree: Group, asking: Asking, arguments: Arguments) -> str:
    """The filter alone."""
    check_size(tree)
    return _group(tree, asking, arguments, "filter")


def reach_of(asking: Asking, arguments: Arguments) -> str:
    """Whom the asker sees, by columns of the customer itself: cheap for a million, and a moment late at most. What is handed out
    row by row is checked with ``customers.scope.SEEN`` as well."""
    if asking.scope.everything:
        return "true"
    me = arguments.add(asking.agent_id, "bigint")
    arms = [
        f"u.owner_id = {me}",
        "(u.owner_id is null and u.pooled_at is not null)",
        "(u.owner_id is null and u.seen_accounts = '{}')",
        f"((u.readers <> '{{}}' or u.writers <> '{{}}') and (u.readers || u.writers) @> array[{me}])",
        f"(u.seen_agents <> '{{}}' and u.seen_agents @> array[{me}])",
    ]
    if asking.colleagues:
        arms.append(f"u.owner_id = any({arguments.add(list(asking.colleagues), 'bigint[]')})")
    if asking.accounts:
        places = arguments.add(list(asking.accounts), "bigint[]")
        arms.append(f"(u.seen_accounts <> '{{}}' and u.seen_accounts && {places})")
    return f"({' or '.join(arms)})"


def _group(group: Group, asking: Asking, arguments: Arguments, path: str) -> str:
    parts = [
        _group(part, asking, arguments, f"{path}.parts.{n}")
        if isinstance(part, Group)
        else _condition(part, asking, arguments, f"{path}.parts.{n}")
        for n, part in enumerate(group.parts)
    ]
    if not parts:
        return "true"
    if group.match == "all":
        return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"
    either = " or ".join(parts)
    return f"({either})" if group.match == "any" else f"(({either}) is not true)"


def _condition(one: Condition, asking: Asking, arguments: Arguments, path: str) -> str:
    known = _known(one.field, asking, path)
    if one.op not in OPS[known.kind]:
        allowed = ", ".join(OPS[known.kind])
        raise _refused(path, "op", f"{one.field} cannot be asked {one.op}; it takes {allowed}.")
    if known.kind == "segment":
        return _segments(one, asking, arguments, path)
    try:
        return conditions.WRITTEN[known.kind](known, one, asking, arguments)
    except ValueError as error:
        raise _refused(path, "value", f"{one.field}: {error}") from error


def _segments(one: Condition, asking: Asking, arguments: Arguments, path: str) -> str:
    """The filters of segments, in the place of their names. A segment speaks of no other segment."""
    try:
        wanted = values.ids(one.value)
    except ValueError as error:
        raise _refused(path, "value", f"segment: {error}") from error
    stored = asking.segments or {}
    if any(segment not in stored for segment in wanted):
        raise _refused(path, "value", "segment: One of these segments is gone.")
    alone = replace(asking, segments=None)
    trees = [Group.model_validate(stored[segment]) for segment in wanted]
    either = " or ".join(_group(tree, alone, arguments, f"{path}.value") for tree in trees)
    return f"({either})" if one.op == "in" else f"(({either}) is not true)"


def _known(name: str, asking: Asking, path: str) -> Known:
    if name.startswith("fields."):
        field = asking.fields.get(name.removeprefix("fields."))
        if field is not None:
            return Known(OF_CUSTOM[field.kind], field.key)
    elif name in STANDARD:
        return STANDARD[name]
    raise _refused(path, "field", f"There is no field {name}.")


def _refused(path: str, part: str, sentence: str) -> Unprocessable:
    return Unprocessable("One condition of the filter cannot be used.", fields={f"{path}.{part}": sentence})
