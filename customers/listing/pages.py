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
"""Segments that are read one after the other before it is asked which of the others hold anybody."""
CHECK = f"select u.id from customer u where u.id = any($4::bigint[]) and {SEEN}"


@dataclass(frozen=True, slots=True)
class Found:
    id: int
    place: Place


@dataclass(frozen=True, slots=True)
class Segment:
    """Part of the order. ``orders``: the keys that still matter in it; the first has a value for everybody here, so its index is
    read from its end."""

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
    compiled = filtering.compile(tree, asking, deleted=deleted)
    segments = list(_from(_segments(orders), at, back))
    found = await _read_all(tx, compiled, segments[:ONE_BY_ONE], back=back, limit=limit)
    if len(found) <= limit and len(segments) > ONE_BY_ONE:
        filled = await _filled(tx, compiled, segments[ONE_BY_ONE:], limit)
        found += await _read_all(tx, compiled, filled, back=back, limit=limit - len(found))
    return found[::-1] if back else found


async def _read_all(
    tx: Tx, compiled: Compiled, segments: Sequence[tuple[Segment, Place | None]], *, back: bool, limit: int
) -> list[Found]:
    found: list[Found] = []
    for segment, begin in segments:
        found += await _read(tx, compiled, segment, begin, back=back, limit=limit + 1 - len(found))
        if len(found) > limit:
            break
    return found


async def _filled(
    tx: Tx, compiled: Compiled, segments: Sequence[tuple[Segment, Place | None]], limit: int
) -> list[tuple[Segment, Place | None]]:
    """Those that hold somebody, in one statement; more than ``limit`` of them fill any page."""
    arms = " union all ".join(
        f"select {n} as n where exists (select from customer u where {compiled.where} and {segment.where})"
        for n, (segment, _) in enumerate(segments)
    )
    rows = await tx.fetch(f"select n from ({arms}) a limit {int(limit) + 1}", *compiled.arguments)
    return [segments[row["n"]] for row in sorted(rows, key=lambda row: int(row["n"]))]


async def seen_of(tx: Tx, asking: Asking, ids: Sequence[int]) -> set[int]:
    """Those of ``ids`` that the asker sees this very moment: columns for lists are told a moment later."""
    if asking.scope.everything:
        return set(ids)
    return {row["id"] for row in await tx.fetch(CHECK, *asking.scope.arguments, list(ids))}


def _segments(orders: Sequence[Order]) -> list[Segment]:
    first, rest = orders[0], tuple(orders[1:])
    if first.groups is None:
        return _with_and_without(tuple(orders))
    column = first.has.partition(" ")[0]
    groups = [(str(one), f"{column} = {int(one)}") for one in first.groups] + [("e", f"{column} is null")]
    return [
        Segment(f"{token}{inner.token}", " and ".join(part for part in (where, inner.where) if part), inner.orders)
        for token, where in groups
        for inner in (_with_and_without(rest) if rest else [Segment("", "", ())])
    ]


def _with_and_without(orders: tuple[Order, ...]) -> list[Segment]:
    """Those with a value of the first key, then those without: so each is read from an index."""
    first, rest = orders[0], orders[1:]
    if not first.has:
        return [Segment("v", "", orders)]
    bare = Order(first.value, first.type, first.descending)
    return [Segment("v", first.has, (bare, *rest)), Segment("e", f"not ({first.has})", rest)]


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
    values = [one.always() for one in segment.orders]
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
