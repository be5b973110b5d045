/** Conversations held by the page, and which of them belong in a list. Pure: no Vue, no network. */

import type { ListQuery } from '@/api'
import type { ConversationPage, ConversationView } from '@/api/types'

export type Held = Map<number, ConversationView>

/** Takes a view in when it is newer than the one held. Says whether anything changed. */
export function take(held: Held, view: ConversationView): boolean {
  const before = held.get(view.id)
  if (before && before.version >= view.version) return false
  held.set(view.id, view)
  return true
}

export function belongs(query: ListQuery, conversation: ConversationView, agentId: number): boolean {
  if (query.account_id !== undefined && conversation.account_id !== query.account_id) return false
  if (query.unread && conversation.unread === 0) return false
  if (query.waiting && conversation.waiting_since === null) return false
  if (query.view === 'closed') return conversation.status === 'closed'
  if (conversation.status !== 'open') return false
  if (query.view === 'mine') return conversation.assignee_id === agentId
  if (query.view === 'unassigned') return conversation.assignee_id === null
  return true
}

/** Where a conversation stands in a list: smaller comes first. */
interface Place {
  at: number
  id: number
}

function placeOf(query: ListQuery, conversation: ConversationView): Place {
  if (query.waiting) return { at: Date.parse(conversation.waiting_since ?? ''), id: conversation.id }
  return { at: -Date.parse(conversation.last_message_at), id: -conversation.id }
}

function compare(a: Place, b: Place): number {
  return a.at - b.at || a.id - b.id
}

/**
 * How far a list is known. The service told all conversations up to `boundary` (null: none yet); beyond it the page may
 * hold some by chance, and must not show them, since others between them are unknown.
 */
export interface ListExtent {
  boundary: Place | null
  complete: boolean
  cursor: string | null
}

export const unknownExtent: ListExtent = { boundary: null, complete: false, cursor: null }

export function extentAfter(query: ListQuery, page: ConversationPage, before: ListExtent): ListExtent {
  const last = page.conversations.at(-1)
  return {
    boundary: last ? placeOf(query, last) : before.boundary,
    complete: page.next_cursor === null,
    cursor: page.next_cursor,
  }
}

function within(extent: ListExtent, place: Place): boolean {
  if (extent.complete) return true
  return extent.boundary !== null && compare(place, extent.boundary) <= 0
}

/** The rows of a list, in order. `keep` stays even when it no longer belongs, so that a row being read does not vanish. */
export function rows(
  held: Held,
  query: ListQuery,
  extent: ListExtent,
  agentId: number,
  keep: number | null = null,
): ConversationView[] {
  const found: { place: Place; conversation: ConversationView }[] = []
  for (const conversation of held.values()) {
    if (conversation.id !== keep && !belongs(query, conversation, agentId)) continue
    const place = placeOf(query, conversation)
    if (Number.isNaN(place.at)) place.at = Number.MAX_SAFE_INTEGER
    if (conversation.id === keep || within(extent, place)) found.push({ place, conversation })
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
  agentId: number,
  told: ReadonlySet<number>,
  isFresh: (id: number) => boolean,
): number[] {
  const gone = rows(held, query, extent, agentId)
    .map((row) => row.id)
    .filter((id) => !told.has(id) && !isFresh(id))
  for (const id of gone) held.delete(id)
  return gone
}
