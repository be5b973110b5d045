/** Conversations held by the page, and which of them belong in a list. Pure: no Vue, no network. */

import type { ListQuery, Sort } from '@/api/list'
import type { ConversationPage, ConversationView } from '@/api/types'

export type Held = Map<number, ConversationView>

/** What a list depends on besides the conversations themselves. */
export interface Reader {
  agentId: number
  /** Teams of the agent, and the team of each account. */
  teamIds: readonly number[]
  teamOf: (accountId: number) => number | null
  /** Milliseconds. */
  now: number
}

/** Takes a view in when it is newer than the one held. Says whether anything changed. */
export function take(held: Held, view: ConversationView): boolean {
  const before = held.get(view.id)
  if (before && before.version >= view.version) return false
  held.set(view.id, view)
  return true
}

export function orderOf(query: ListQuery): Sort {
  return query.sort ?? (query.waiting ? 'waiting' : 'newest')
}

const HOUR = 3_600_000

function inView(query: ListQuery, one: ConversationView, reader: Reader): boolean {
  const mine = one.assignee_id === reader.agentId
  switch (query.view) {
    case 'closed':
    case 'snoozed':
      return one.status === query.view
    case 'mentions':
      // Only the service knows who was mentioned where.
      return false
  }
  if (one.status !== 'open') return false
  switch (query.view) {
    case 'mine':
      return mine
    case 'unassigned':
      return one.assignee_id === null
    case 'helping':
      return !mine && one.collaborator_ids.includes(reader.agentId)
    case 'team': {
      const team = reader.teamOf(one.account_id)
      return team !== null && reader.teamIds.includes(team)
    }
    default:
      return true
  }
}

export function belongs(query: ListQuery, one: ConversationView, reader: Reader): boolean {
  if (query.account_id !== undefined && one.account_id !== query.account_id) return false
  if (query.accounts && !query.accounts.includes(one.account_id)) return false
  if (query.channel !== undefined && one.channel !== query.channel) return false
  if (query.labels && !query.labels.some((label) => one.label_ids.includes(label))) return false
  if (query.assignee !== undefined && one.assignee_id !== query.assignee) return false
  if (query.unread && one.unread === 0) return false
  if (query.waiting && one.waiting_since === null) return false
  if (query.breached && !one.sla?.breached_at) return false
  if (query.closing_hours !== undefined && !closesWithin(one, query.closing_hours, reader.now)) return false
  if (orderOf(query) === 'window' && !closesWithin(one, Number.POSITIVE_INFINITY, reader.now)) return false
  if (atOf(query, one) === null) return false
  return inView(query, one, reader)
}

function closesWithin(one: ConversationView, hours: number, now: number): boolean {
  const end = one.window ? Date.parse(one.window.expires_at) : Number.NaN
  return end > now && end <= now + hours * HOUR && one.status !== 'closed'
}

/** Where a conversation stands in a list: smaller comes first. */
export interface Place {
  at: number
  id: number
}

function atOf(query: ListQuery, one: ConversationView): string | null {
  switch (orderOf(query)) {
    case 'waiting':
      return one.waiting_since
    case 'window':
      return one.window?.expires_at ?? null
    case 'sla':
      return one.sla?.due_at ?? null
    default:
      return one.last_message_at
  }
}

export function placeOf(query: ListQuery, one: ConversationView): Place {
  const at = Date.parse(atOf(query, one) ?? '')
  const known = Number.isNaN(at) ? Number.MAX_SAFE_INTEGER : at
  return orderOf(query) === 'newest' ? { at: -known, id: -one.id } : { at: known, id: one.id }
}

export function compare(a: Place, b: Place): number {
  return a.at - b.at || a.id - b.id
}

/** A page as the service told it. The cursors lead to what lies on either side; null: nothing does. */
interface Told {
  first: Place
  last: Place
  ids: readonly number[]
  next: string | null
  previous: string | null
}

/**
 * How far a list is known: neighbouring pages. Outside of them the page may hold some conversations by chance, and must not show
 * them, since others between them are unknown.
 */
export interface ListExtent {
  known: boolean
  pages: readonly Told[]
}

export const unknownExtent: ListExtent = { known: false, pages: [] }

/** Pages that are kept; beyond it those farthest away are forgotten. */
export const MOST_PAGES = 12

export const nextCursor = (extent: ListExtent): string | null => extent.pages.at(-1)?.next ?? null
export const previousCursor = (extent: ListExtent): string | null => extent.pages[0]?.previous ?? null
export const atTop = (extent: ListExtent): boolean => extent.known && previousCursor(extent) === null
export const atEnd = (extent: ListExtent): boolean => extent.known && nextCursor(extent) === null

/** With one more page, after or before those that are known. */
export function extended(query: ListQuery, page: ConversationPage, before: ListExtent, side: 'after' | 'before' = 'after'): ListExtent {
  const [first, last] = [page.conversations[0], page.conversations.at(-1)]
  if (!first || !last) {
    if (before.pages.length === 0) return { known: true, pages: [] }
    // There turned out to be nothing more on that side.
    const pages = [...before.pages]
    const at = side === 'after' ? pages.length - 1 : 0
    const edge = pages[at]
    if (edge) pages[at] = side === 'after' ? { ...edge, next: null } : { ...edge, previous: null }
    return { known: true, pages }
  }
  const told: Told = {
    first: placeOf(query, first),
    last: placeOf(query, last),
    ids: page.conversations.map((one) => one.id),
    next: page.next_cursor,
    previous: page.previous_cursor,
  }
  const pages = side === 'after' ? [...before.pages, told].slice(-MOST_PAGES) : [told, ...before.pages].slice(0, MOST_PAGES)
  return { known: true, pages }
}

function within(extent: ListExtent, place: Place): boolean {
  const [first, last] = [extent.pages[0], extent.pages.at(-1)]
  if (!first || !last) return extent.known
  return (first.previous === null || compare(place, first.first) >= 0) && (last.next === null || compare(place, last.last) <= 0)
}

/** The rows of a list, in order. `keep` stays even when it no longer belongs, so that a row being read does not vanish. */
export function rows(held: Held, query: ListQuery, extent: ListExtent, reader: Reader, keep: number | null = null): ConversationView[] {
  const found: { place: Place; conversation: ConversationView }[] = []
  const told = query.view === 'mentions' ? new Set(extent.pages.flatMap((page) => page.ids)) : null
  for (const conversation of held.values()) {
    const kept = conversation.id === keep
    if (!kept && !(told ? told.has(conversation.id) : belongs(query, conversation, reader))) continue
    const place = placeOf(query, conversation)
    if (kept || told || within(extent, place)) found.push({ place, conversation })
  }
  return found.sort((a, b) => compare(a.place, b.place)).map((row) => row.conversation)
}

/**
 * After a list was read anew: conversations that should be among its rows but were not told are gone from our sight
 * (another team's now, for example). Those that changed while the answer was under way (`isFresh`) are left alone.
 */
export function forgetUntold(
  held: Held,
  query: ListQuery,
  extent: ListExtent,
  reader: Reader,
  told: ReadonlySet<number>,
  isFresh: (id: number) => boolean,
): number[] {
  const gone = rows(held, query, extent, reader)
    .map((row) => row.id)
    .filter((id) => !told.has(id) && !isFresh(id))
  for (const id of gone) held.delete(id)
  return gone
}
