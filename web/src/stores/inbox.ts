import { defineStore } from 'pinia'
import { computed, ref, shallowRef, triggerRef } from 'vue'
import { api } from '@/api'
import { filterOf, listApi, type ListQuery } from '@/api/list'
import type { ConversationView, CountsView } from '@/api/types'
import { atEnd, atTop, extended, forgetUntold, nextCursor, previousCursor, rows, take, unknownExtent, type Held, type ListExtent, type Reader } from '@/model/conversations'
import { useAccounts } from './accounts'
import { useClock } from './clock'
import { useSession } from './session'

const PAGE = 100
/** Conversations kept in the browser's memory; far more than are ever in sight. */
const MOST_HELD = 5000

const keyOf = (query: ListQuery): string => JSON.stringify(Object.entries(filterOf(query)).filter(([, value]) => value !== undefined && value !== false).sort())

/** The conversations that the page holds, the list in sight, and the counts. */
export const useInbox = defineStore('inbox', () => {
  const session = useSession()
  const accounts = useAccounts()
  const clock = useClock()
  const held = shallowRef<Held>(new Map())
  const extents = shallowRef(new Map<string, ListExtent>())
  const query = shallowRef<ListQuery>({ view: 'mine' })
  const counts = shallowRef<CountsView | null>(null)
  const selected = ref<number | null>(null)
  /** Conversations are being stepped through with keys. */
  const walking = ref(false)
  const loading = ref(false)
  const failed = shallowRef<unknown>(null)
  /** What we have told the service we read, before its answer: the badge goes at once. */
  const readAhead = shallowRef(new Map<number, number>())

  // Counts arrivals of each conversation, to tell what changed while an answer was under way.
  let tick = 0
  const touched = new Map<number, number>()
  let countsTick = 0

  const key = computed(() => keyOf(query.value))
  const timed = computed(() => query.value.closing_hours !== undefined || query.value.sort === 'window')
  const reader = computed<Reader>(() => ({
    agentId: session.agentId,
    teamIds: session.agent?.team_ids ?? [],
    teamOf: (id) => accounts.accountById.get(id)?.team_id ?? null,
    // Only some lists change as time passes.
    now: timed.value ? clock.quarter : 0,
  }))
  const extent = computed(() => extents.value.get(key.value) ?? unknownExtent)
  const list = computed(() => rows(held.value, query.value, extent.value, reader.value, keptRow()))
  const known = computed(() => extent.value.known)
  const complete = computed(() => atTop(extent.value) && atEnd(extent.value))

  /** The selected conversation stays in the list it was opened from, even when reading it takes it out of the filter. */
  const keptFrom = ref('')
  function keptRow(): number | null {
    return selected.value !== null && keptFrom.value === key.value ? selected.value : null
  }

  function select(id: number | null): void {
    if (id === selected.value) return
    const inList = list.value.some((row) => row.id === id)
    selected.value = id
    keptFrom.value = inList ? key.value : ''
  }

  function takeView(view: ConversationView): void {
    tick += 1
    touched.set(view.id, tick)
    if (take(held.value, view)) triggerRef(held)
    if (held.value.size > MOST_HELD) forgetFar()
  }

  /** It is out of our sight. */
  function forget(id: number): void {
    if (held.value.delete(id)) triggerRef(held)
  }

  /** Keeps memory bounded on a day with many thousands of conversations: other lists are read again when they are shown. */
  function forgetFar(): void {
    const near = new Set(list.value.map((row) => row.id))
    if (selected.value !== null) near.add(selected.value)
    extents.value = new Map([[key.value, extent.value]])
    held.value = new Map([...held.value].filter(([id]) => near.has(id)))
    for (const id of touched.keys()) if (!near.has(id)) touched.delete(id)
  }

  function takeCounts(view: CountsView): void {
    countsTick += 1
    const mentions = counts.value?.mentions
    counts.value = view
    if (mentions !== undefined && mentions !== view.mentions && query.value.view === 'mentions') void readAgain().catch(noteFailure)
  }

  function setExtent(at: string, value: ListExtent): void {
    extents.value = new Map(extents.value).set(at, value)
  }

  async function show(wanted: ListQuery): Promise<void> {
    if (keyOf(wanted) === key.value && known.value) return
    query.value = wanted
    failed.value = null
    if (!known.value) await readAgain(PAGE).catch(noteFailure)
  }

  /** The next page on one side of what is known. */
  async function loadMore(side: 'after' | 'before' = 'after'): Promise<void> {
    const before = extent.value
    const cursor = side === 'after' ? nextCursor(before) : previousCursor(before)
    if (loading.value || cursor === null) return
    const [asked, at] = [query.value, key.value]
    loading.value = true
    try {
      const page = await listApi.page(asked, { cursor, back: side === 'before', limit: PAGE })
      for (const view of page.conversations) takeView(view)
      setExtent(at, extended(asked, page, before, side))
      failed.value = null
    } catch (error) {
      noteFailure(error)
    } finally {
      loading.value = false
    }
  }

  /** The last page of all, or the first: whatever lies between is read when it is scrolled to. */
  async function jump(to: 'top' | 'end'): Promise<void> {
    if (to === 'top' ? atTop(extent.value) : atEnd(extent.value)) return
    const [asked, at] = [query.value, key.value]
    loading.value = true
    try {
      const page = await listApi.page(asked, { back: to === 'end', limit: PAGE })
      for (const view of page.conversations) takeView(view)
      setExtent(at, extended(asked, page, unknownExtent))
      failed.value = null
    } catch (error) {
      noteFailure(error)
    } finally {
      loading.value = false
    }
  }

  /** Reads the list in sight anew, as far as it was known, and forgets what is no longer told. */
  async function readAgain(rowsWanted = Math.max(PAGE, list.value.length)): Promise<void> {
    const [asked, at] = [query.value, key.value]
    const started = tick
    loading.value = true
    try {
      let fresh = unknownExtent
      let cursor = await startOf(extent.value, asked)
      const told = new Set<number>()
      do {
        const page = await listApi.page(asked, { cursor: cursor ?? undefined, limit: PAGE })
        for (const view of page.conversations) {
          told.add(view.id)
          if (take(held.value, view)) triggerRef(held)
        }
        fresh = extended(asked, page, fresh)
        cursor = nextCursor(fresh)
      } while (cursor !== null && told.size < rowsWanted)
      const gone = forgetUntold(held.value, asked, fresh, reader.value, told, (id) => (touched.get(id) ?? 0) > started)
      if (gone.length > 0) triggerRef(held)
      setExtent(at, fresh)
      failed.value = null
    } finally {
      loading.value = false
    }
  }

  /** A cursor before the first known row; null: the list is known from its top. */
  async function startOf(before: ListExtent, asked: ListQuery): Promise<string | null> {
    const previous = previousCursor(before)
    if (previous === null) return null
    return (await listApi.page(asked, { cursor: previous, back: true, limit: 1 })).next_cursor
  }

  async function readCounts(): Promise<void> {
    const started = countsTick
    const answer = await api.counts()
    // A push that came meanwhile is newer than this answer.
    if (countsTick === started) counts.value = answer
  }

  /** After (re)connecting: only the list in sight is known again, others are read when shown. */
  async function resync(): Promise<void> {
    extents.value = new Map([[key.value, extent.value]])
    await Promise.all([readAgain(), readCounts()])
  }

  async function retry(): Promise<void> {
    failed.value = null
    if (known.value) await loadMore()
    else await readAgain(PAGE).catch(noteFailure)
  }

  function noteFailure(error: unknown): void {
    failed.value = error
  }

  function unreadOf(conversation: ConversationView): number {
    const ahead = readAhead.value.get(conversation.id)
    return ahead !== undefined && ahead >= conversation.last_seq ? 0 : conversation.unread
  }

  async function markRead(id: number, seq: number): Promise<void> {
    if ((readAhead.value.get(id) ?? 0) >= seq) return
    readAhead.value = new Map(readAhead.value).set(id, seq)
    try {
      takeView(await api.markRead(id, seq))
    } catch {
      // It stays unread at the service, so it must look unread here.
    }
    const without = new Map(readAhead.value)
    if (without.get(id) === seq) without.delete(id)
    readAhead.value = without
  }

  async function assign(id: number, agentId: number | null): Promise<void> {
    takeView(await api.assign(id, agentId))
  }

  async function close(id: number): Promise<void> {
    takeView(await api.close(id))
  }

  async function reopen(id: number): Promise<void> {
    takeView(await api.reopen(id))
  }

  function clear(): void {
    held.value = new Map()
    extents.value = new Map()
    readAhead.value = new Map()
    counts.value = null
    selected.value = null
    failed.value = null
  }

  return {
    held, query, counts, selected, walking, loading, failed, extent, list, known, complete, select, takeView, forget, takeCounts, show, loadMore,
    jump, resync, retry, unreadOf, markRead, assign, close, reopen, clear,
  }
})
