import { describe, expect, it } from 'vitest'
import type { ListQuery, View } from '@/api'
import type { ConversationPage, ConversationView } from '@/api/types'
import { belongs, extentAfter, forgetUntold, rows, take, unknownExtent, type Held, type ListExtent } from '@/model/conversations'
import { conversationView, randomness, World } from './world'

const ME = 7

/** The service's own way to a list: filter, sort, cut. */
function fresh(world: World, query: ListQuery): ConversationView[] {
  const all = [...world.conversations.values()].filter((one) => belongs(query, one, ME))
  return all.sort((a, b) =>
    query.waiting
      ? Date.parse(a.waiting_since ?? '') - Date.parse(b.waiting_since ?? '') || a.id - b.id
      : Date.parse(b.last_message_at) - Date.parse(a.last_message_at) || b.id - a.id,
  )
}

function page(world: World, query: ListQuery, cursor: string | null, limit: number): ConversationPage {
  const all = fresh(world, query)
  const from = Number(cursor ?? 0)
  return { conversations: all.slice(from, from + limit), next_cursor: from + limit < all.length ? String(from + limit) : null }
}

function readAll(world: World, query: ListQuery, held: Held, wanted: number): ListExtent {
  let extent = unknownExtent
  let told = 0
  do {
    const answer = page(world, query, extent.cursor, 4)
    for (const view of answer.conversations) take(held, view)
    told += answer.conversations.length
    extent = extentAfter(query, answer, extent)
  } while (!extent.complete && told < wanted)
  return extent
}

describe('a list', () => {
  it('equals a fresh read, however the pushes came, once it has been read again', () => {
    const queries: ListQuery[] = (['mine', 'unassigned', 'all', 'closed'] as View[]).flatMap((view) => [
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
          dice < 0.5 ? world.arrive(id) : dice < 0.65 ? world.read(id) : dice < 0.8 ? world.assign(id, random() < 0.5 ? ME : null) : world.close(id),
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
    const extent = extentAfter(query, page(world, query, null, 4), unknownExtent)
    for (const view of world.conversations.values()) take(held, view)
    expect(rows(held, query, extent, ME)).toHaveLength(4)
    expect(rows(held, query, { ...extent, complete: true }, ME)).toHaveLength(10)
  })

  it('puts a conversation that wakes up from beyond the end at the top', () => {
    const world = new World(10)
    const held: Held = new Map()
    const query: ListQuery = { view: 'all' }
    const first = page(world, query, null, 4)
    for (const view of first.conversations) take(held, view)
    const extent = extentAfter(query, first, unknownExtent)
    take(held, world.arrive(1).conversation)
    expect(rows(held, query, extent, ME)[0]?.id).toBe(1)
  })

  it('keeps the row that is being read although it has left the filter', () => {
    const held: Held = new Map([[1, conversationView({ id: 1, unread: 0 })]])
    const query: ListQuery = { view: 'all', unread: true }
    const extent: ListExtent = { boundary: null, complete: true, cursor: null }
    expect(rows(held, query, extent, ME)).toHaveLength(0)
    expect(rows(held, query, extent, ME, 1)).toHaveLength(1)
  })

  it('forgets what is no longer told, but not what changed meanwhile', () => {
    const held: Held = new Map([1, 2, 3].map((id) => [id, conversationView({ id })]))
    const extent: ListExtent = { boundary: null, complete: true, cursor: null }
    expect(forgetUntold(held, { view: 'all' }, extent, ME, new Set([1]), (id) => id === 3)).toEqual([2])
    expect([...held.keys()]).toEqual([1, 3])
  })

  it('takes only newer views', () => {
    const held: Held = new Map()
    expect(take(held, conversationView({ version: 2, preview: 'b' }))).toBe(true)
    expect(take(held, conversationView({ version: 2, preview: 'c' }))).toBe(false)
    expect(take(held, conversationView({ version: 1, preview: 'a' }))).toBe(false)
    expect(held.get(1)?.preview).toBe('b')
  })
})
