import { describe, expect, it } from 'vitest'
import type { ListQuery, View } from '@/api/list'
import type { ConversationPage, ConversationView } from '@/api/types'
import { atEnd, atTop, belongs, extended, forgetUntold, MOST_PAGES, nextCursor, previousCursor, rows, take, unknownExtent, type Held, type ListExtent, type Reader } from '@/model/conversations'
import { conversationView, randomness, World } from './world'

const AGENT = 7
const ME: Reader = { agentId: AGENT, teamIds: [3], teamOf: (account) => (account === 1 ? 3 : null), now: 0 }
const WHOLE: ListExtent = { known: true, pages: [] }

/** The service's own way to a list: filter, sort, cut. */
function fresh(world: World, query: ListQuery): ConversationView[] {
  const all = [...world.conversations.values()].filter((one) => belongs(query, one, ME))
  return all.sort((a, b) =>
    query.waiting
      ? Date.parse(a.waiting_since ?? '') - Date.parse(b.waiting_since ?? '') || a.id - b.id
      : Date.parse(b.last_message_at) - Date.parse(a.last_message_at) || b.id - a.id,
  )
}

function page(world: World, query: ListQuery, cursor: string | null, limit: number, back = false): ConversationPage {
  const all = fresh(world, query)
  const [from, to] = back ? [Math.max(0, Number(cursor ?? all.length) - limit), Number(cursor ?? all.length)] : [Number(cursor ?? 0), Number(cursor ?? 0) + limit]
  return {
    conversations: all.slice(from, to),
    next_cursor: to < all.length ? String(to) : null,
    previous_cursor: from > 0 ? String(from) : null,
  }
}

function readAll(world: World, query: ListQuery, held: Held, wanted: number): ListExtent {
  let extent = unknownExtent
  let told = 0
  do {
    const answer = page(world, query, nextCursor(extent), 4)
    for (const view of answer.conversations) take(held, view)
    told += answer.conversations.length
    extent = extended(query, answer, extent)
  } while (!atEnd(extent) && told < wanted)
  return extent
}

describe('a list', () => {
  it('equals a fresh read, however the pushes came, once it has been read again', () => {
    const queries: ListQuery[] = (['mine', 'unassigned', 'team', 'all', 'closed'] as View[]).flatMap((view) => [
      { view },
      { view, unread: true },
      { view, waiting: true },
    ])
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = randomness(seed)
      const world = new World(14)
      const query = queries[seed % queries.length] ?? { view: 'all' }
      const held: Held = new Map()
      readAll(world, query, held, 6)
      const pushes = []
      for (let step = 0; step < 120; step += 1) {
        const id = 1 + Math.floor(random() * 14)
        const dice = random()
        pushes.push(
          dice < 0.5 ? world.arrive(id) : dice < 0.65 ? world.read(id) : dice < 0.8 ? world.assign(id, random() < 0.5 ? AGENT : null) : world.close(id),
        )
      }
      pushes.sort(() => random() - 0.5)
      for (const push of pushes) if (random() > 0.3) take(held, push.conversation)
      const extent = readAll(world, query, held, 100)
      // Dropped pushes left views that no list tells any more.
      forgetUntold(held, query, extent, ME, new Set(fresh(world, query).map((one) => one.id)), () => false)
      expect(rows(held, query, extent, ME)).toEqual(fresh(world, query))
    }
  })

  it('never shows rows beyond what it knows, since others may lie between', () => {
    const world = new World(10)
    const held: Held = new Map()
    const query: ListQuery = { view: 'all' }
    const extent = extended(query, page(world, query, null, 4), unknownExtent)
    for (const view of world.conversations.values()) take(held, view)
    expect(rows(held, query, extent, ME)).toHaveLength(4)
    expect(rows(held, query, WHOLE, ME)).toHaveLength(10)
  })

  it('puts a conversation that wakes up from beyond the end at the top', () => {
    const world = new World(10)
    const held: Held = new Map()
    const query: ListQuery = { view: 'all' }
    const first = page(world, query, null, 4)
    for (const view of first.conversations) take(held, view)
    const extent = extended(query, first, unknownExtent)
    take(held, world.arrive(1).conversation)
    expect(rows(held, query, extent, ME)[0]?.id).toBe(1)
  })

  it('keeps the row that is being read although it has left the filter', () => {
    const held: Held = new Map([[1, conversationView({ id: 1, unread: 0 })]])
    const query: ListQuery = { view: 'all', unread: true }
    const extent = WHOLE
    expect(rows(held, query, extent, ME)).toHaveLength(0)
    expect(rows(held, query, extent, ME, 1)).toHaveLength(1)
  })

  it('forgets what is no longer told, but not what changed meanwhile', () => {
    const held: Held = new Map([1, 2, 3].map((id) => [id, conversationView({ id })]))
    const extent = WHOLE
    expect(forgetUntold(held, { view: 'all' }, extent, ME, new Set([1]), (id) => id === 3)).toEqual([2])
    expect([...held.keys()]).toEqual([1, 3])
  })

  it('is read from its end, forgets what is far away, and finds it again', () => {
    const world = new World(200)
    const held: Held = new Map()
    const query: ListQuery = { view: 'all' }
    const all = fresh(world, query).map((one) => one.id)
    let extent = extended(query, page(world, query, null, 4, true), unknownExtent)
    const read = (answer: ConversationPage) => answer.conversations.forEach((view) => take(held, view))
    read(page(world, query, null, 4, true))
    expect(rows(held, query, extent, ME).map((one) => one.id)).toEqual(all.slice(-4))
    expect([atTop(extent), atEnd(extent)]).toEqual([false, true])
    while (!atTop(extent)) {
      const answer = page(world, query, previousCursor(extent), 4, true)
      read(answer)
      extent = extended(query, answer, extent, 'before')
      expect(extent.pages.length).toBeLessThanOrEqual(MOST_PAGES)
    }
    expect(rows(held, query, extent, ME).map((one) => one.id)).toEqual(all.slice(0, MOST_PAGES * 4))
    expect(atEnd(extent)).toBe(false)
    while (!atEnd(extent)) {
      const answer = page(world, query, nextCursor(extent), 4)
      read(answer)
      extent = extended(query, answer, extent)
    }
    expect(rows(held, query, extent, ME).map((one) => one.id)).toEqual(all.slice(-MOST_PAGES * 4))
  })

  it('shows each view and filter what belongs there', () => {
    const at = '2026-01-01T10:00:00Z'
    const later = { ...ME, now: Date.parse('2026-01-01T09:00:00Z') }
    const window = { kind: 'reply' as const, opened_at: at, expires_at: at, quota: 5, used: 0 }
    const one = conversationView({ assignee_id: 9, collaborator_ids: [AGENT], label_ids: [4], window })
    const fits = (query: ListQuery, change: Partial<ConversationView> = {}) => belongs(query, { ...one, ...change }, later)
    expect(fits({ view: 'helping' })).toBe(true)
    expect(fits({ view: 'helping' }, { assignee_id: AGENT })).toBe(false)
    expect(fits({ view: 'team' })).toBe(true)
    expect(fits({ view: 'team' }, { account_id: 2 })).toBe(false)
    expect(fits({ view: 'snoozed' }, { status: 'snoozed' })).toBe(true)
    expect(fits({ view: 'all' }, { status: 'snoozed' })).toBe(false)
    expect(fits({ view: 'all', labels: [3, 4], assignee: 9, channel: 'x', accounts: [1] })).toBe(true)
    expect(fits({ view: 'all', labels: [3] })).toBe(false)
    expect(fits({ view: 'all', closing_hours: 2 })).toBe(true)
    expect(fits({ view: 'all', closing_hours: 2 }, { window: null })).toBe(false)
    expect(fits({ view: 'all', sort: 'sla' })).toBe(false)
    expect(fits({ view: 'all', breached: true }, { sla: { kind: 'first', policy_id: 1, due_at: at, breached_at: at } })).toBe(true)
  })

  it('takes only newer views', () => {
    const held: Held = new Map()
    expect(take(held, conversationView({ version: 2, preview: 'b' }))).toBe(true)
    expect(take(held, conversationView({ version: 2, preview: 'c' }))).toBe(false)
    expect(take(held, conversationView({ version: 1, preview: 'a' }))).toBe(false)
    expect(held.get(1)?.preview).toBe('b')
  })
})
