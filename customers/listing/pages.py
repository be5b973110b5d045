"""Pages of customers in any order, both ways, at a cost that does not grow with how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from customers import filtering
from customers.filtering import Arguments, Asking, Compiled, Group
from customers.listing.cursor import Place, wrong
from customers.listing.sorts import Order, placed
from customers.scope import SEEN
from scrm.db import Tx

# ruff: noqa: S608 - made of constants; values are parameters

ONE_BY_ONE = 10
"""Groups of the first key that are asked for one after the other before the rest is asked for at once."""
CHECK = f"select u.id from customer u where u.id = any($4::bigint[]) and {SEEN}"


@dataclass(frozen=True, slots=True)
class Found:
    id: int
    place: Place


@dataclass(frozen=True, slots=True)
class Segment:
    """Part of the order. ``orders``: the keys that still matter in it."""

    token: str
    where: str
    orders: tuple[Order, ...]


async def page(
    tx: Tx,
    tree: Group,
    asking: Asking,
    orders: Sequence[Order],
    at: Place | None,
    *,
    back: bool = False,
    limit: int,
    deleted: bool = False,
) -> list[Found]:
    """Up to ``limit`` + 1 customers after ``at`` (with ``back``: before it), in the order of the list."""
    found: list[Found] = []
    compiled = filtering.compile(tree, asking, deleted=deleted)
    for segment, begin in _from(_segments(orders), at, back):
        wanted = limit + 1 - len(found)
        found += await _read(tx, compiled, segment, begin, back=back, limit=wanted)
        if len(found) > limit:
            break
    return found[::-1] if back else found


async def seen_of(tx: Tx, asking: Asking, ids: Sequence[int]) -> set[int]:
    """Those of ``ids`` that the asker sees this very moment: columns for lists are told a moment later."""
    if asking.scope.everything:
        return set(ids)
    return {row["id"] for row in await tx.fetch(CHECK, *asking.scope.arguments, list(ids))}


def _segments(orders: Sequence[Order]) -> list[Segment]:
    first, rest = orders[0], tuple(orders[1:])
    if first.groups is not None:
        return [*_grouped(first, rest), Segment("e", f"not ({first.has})", rest)]
    if not first.has:
        return [Segment("v", "", tuple(orders))]
    bare = Order(first.value, first.type, first.descending)
    return [Segment("v", first.has, (bare, *rest)), Segment("e", f"not ({first.has})", rest)]


def _grouped(first: Order, rest: tuple[Order, ...]) -> Iterator[Segment]:
    column = first.has.partition(" ")[0]
    for one in first.groups or ():
        yield Segment(str(one), f"{column} = {int(one)}", rest)


def _from(segments: Sequence[Segment], at: Place | None, back: bool) -> Iterator[tuple[Segment, Place | None]]:
    """The segments from where the cursor stands on, in the direction of reading."""
    ordered = list(reversed(segments)) if back else list(segments)
    start = 0
    if at is not None:
        start = next((n for n, one in enumerate(ordered) if one.token == at.segment), -1)
        if start < 0:
            raise wrong()
    for n, segment in enumerate(ordered[start:]):
        yield segment, at if n == 0 else None


async def _read(
    tx: Tx, compiled: Compiled, segment: Segment, at: Place | None, *, back: bool, limit: int
) -> list[Found]:
    arguments = Arguments(compiled.arguments)
    values = [segment.orders[0].value, *(one.always() for one in segment.orders[1:])] if segment.orders else []
    if segment.orders and segment.orders[0].has:
        values[0] = segment.orders[0].always()
    down = segment.orders[0].descending if segment.orders else True
    keys = [*zip(values, [one.descending for one in segment.orders], strict=True), ("u.id", down)]
    wanted = [part for part in (compiled.where, segment.where) if part]
    if at is not None:
        wanted.append(_after(segment, keys, at, arguments, back))
    order = ", ".join(f"{value} {'desc' if descending != back else 'asc'}" for value, descending in keys)
    shown = ", ".join(["u.id", *(f"({value})::text as s{n}" for n, value in enumerate(values))])
    sql = f"select {shown} from customer u where {' and '.join(wanted)} order by {order} limit {int(limit)}"
    rows = await tx.fetch(sql, *arguments.values)
    return [
        Found(row["id"], Place(segment.token, tuple(row[f"s{n}"] for n in range(len(values))), row["id"]))
        for row in rows
    ]


def _after(segment: Segment, keys: Sequence[tuple[str, bool]], at: Place, arguments: Arguments, back: bool) -> str:
    """Rows behind the cursor: each key differs in its direction after all before it were equal. The first bound stands by
    itself as well, so that the index begins there."""
    if len(at.values) != len(segment.orders):
        raise wrong()
    try:
        places = [placed(text, one.type, arguments) for text, one in zip(at.values, segment.orders, strict=True)]
    except ValueError as error:
        raise wrong() from error
    places.append(arguments.add(at.id, "bigint"))
    signs = ["<" if descending != back else ">" for _, descending in keys]
    if len(set(signs)) == 1:
        left, right = ", ".join(value for value, _ in keys), ", ".join(places)
        return f"({left}) {signs[0]} ({right})"
    bound = f"{keys[0][0]} {signs[0]}= {places[0]}"
    clause = f"{keys[-1][0]} {signs[-1]} {places[-1]}"
    for (value, _), sign, place in reversed(list(zip(keys[:-1], signs[:-1], places[:-1], strict=True))):
        clause = f"({value} {sign} {place} or ({value} = {place} and {clause}))"
    return f"{bound} and {clause}"
