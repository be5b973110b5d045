import { defineStore } from 'pinia'
import { computed, ref, shallowRef, triggerRef } from 'vue'
import { api, type ListQuery } from '@/api'
import type { ConversationView, CountsView } from '@/api/types'
import { extentAfter, forgetUntold, rows, take, unknownExtent, type Held, type ListExtent } from '@/model/conversations'
import { useSession } from './session'

const PAGE = 50

function keyOf(query: ListQuery): string {
  return [query.view, query.account_id ?? '', query.unread ? 'u' : '', query.waiting ? 'w' : ''].join('/')
}

/** The conversations that the page holds, the list in sight, and the counts. */
export const useInbox = defineStore('inbox', () => {
  const session = useSession()
  const held = shallowRef<Held>(new Map())
  const extents = shallowRef(new Map<string, ListExtent>())
  const query = shallowRef<ListQuery>({ view: 'mine' })
  const counts = shallowRef<CountsView | null>(null)
  const selected = ref<number | null>(null)
  const loading = ref(false)
  const failed = shallowRef<unknown>(null)
  /** What we have told the service we read, before its answer: the badge goes at once. */
  const readAhead = shallowRef(new Map<number, number>())

  // Counts arrivals of each conversation, to tell what changed while an answer was under way.
  let tick = 0
  const touched = new Map<number, number>()
  let countsTick = 0

  const extent = computed(() => extents.value.get(keyOf(query.value)) ?? unknownExtent)
  const list = computed(() => rows(held.value, query.value, extent.value, session.agentId, keptRow()))
  const known = computed(() => extent.value.complete || extent.value.boundary !== null)

  /** The selected conversation stays in the list it was opened from, even when reading it takes it out of the filter. */
  const keptFrom = ref('')
  function keptRow(): number | null {
    return selected.value !== null && keptFrom.value === keyOf(query.value) ? selected.value : null
  }

  function select(id: number | null): void {
    if (id === selected.value) return
    const inList = list.value.some((row) => row.id === id)
    selected.value = id
    keptFrom.value = inList ? keyOf(query.value) : ''
  }

  function takeView(view: ConversationView): void {
    tick += 1
    touched.set(view.id, tick)
    if (take(held.value, view)) triggerRef(held)
  }

  /** It is out of our sight. */
  function forget(id: number): void {
    if (held.value.delete(id)) triggerRef(held)
  }

  function takeCounts(view: CountsView): void {
    countsTick += 1
    counts.value = view
  }

  function setExtent(key: string, value: ListExtent): void {
    extents.value = new Map(extents.value).set(key, value)
  }

  async function show(wanted: ListQuery): Promise<void> {
    if (keyOf(wanted) === keyOf(query.value) && known.value) return
    query.value = wanted
    failed.value = null
    if (!known.value) await readFromTop(PAGE).catch(noteFailure)
  }

  async function loadMore(): Promise<void> {
    if (loading.value || extent.value.complete || extent.value.cursor === null) return
    const asked = query.value
    const before = extent.value
    loading.value = true
    try {
      const page = await api.conversations(asked, before.cursor, PAGE)
      for (const view of page.conversations) takeView(view)
      setExtent(keyOf(asked), extentAfter(asked, page, before))
      failed.value = null
    } catch (error) {
      noteFailure(error)
    } finally {
      loading.value = false
    }
  }

  /** Reads the list in sight anew, as far as it was known, and forgets what is no longer told. */
  async function readFromTop(rowsWanted = Math.max(PAGE, list.value.length)): Promise<void> {
    const asked = query.value
    const key = keyOf(asked)
    const started = tick
    loading.value = true
    try {
      let fresh = unknownExtent
      const told = new Set<number>()
      do {
        const page = await api.conversations(asked, fresh.cursor, Math.min(100, rowsWanted))
        for (const view of page.conversations) {
          told.add(view.id)
          if (take(held.value, view)) triggerRef(held)
        }
        fresh = extentAfter(asked, page, fresh)
      } while (!fresh.complete && told.size < rowsWanted)
      const gone = forgetUntold(held.value, asked, fresh, session.agentId, told, (id) => (touched.get(id) ?? 0) > started)
      if (gone.length > 0) triggerRef(held)
      setExtent(key, fresh)
      failed.value = null
    } finally {
      loading.value = false
    }
  }

  async function readCounts(): Promise<void> {
    const started = countsTick
    const answer = await api.counts()
    // A push that came meanwhile is newer than this answer.
    if (countsTick === started) counts.value = answer
  }

  /** After (re)connecting: only the list in sight is known again, others are read when shown. */
  async function resync(): Promise<void> {
    extents.value = new Map([[keyOf(query.value), extent.value]])
    await Promise.all([readFromTop(), readCounts()])
  }

  async function retry(): Promise<void> {
    failed.value = null
    if (known.value) await loadMore()
    else await readFromTop(PAGE).catch(noteFailure)
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
      const without = new Map(readAhead.value)
      without.delete(id)
      readAhead.value = without
    }
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
    held,
    query,
    counts,
    selected,
    loading,
    failed,
    extent,
    list,
    known,
    select,
    takeView,
    forget,
    takeCounts,
    show,
    loadMore,
    resync,
    retry,
    unreadOf,
    markRead,
    assign,
    close,
    reopen,
    clear,
  }
})
