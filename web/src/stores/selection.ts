import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { listApi, type BulkDone, type BulkInput } from '@/api/list'
import { useInbox } from './inbox'

/** So many at once; the service takes no more in one request. */
export const MOST_CHOSEN = 200

/** Rows of the list that are chosen together, and what is done to all of them. */
export const useSelection = defineStore('selection', () => {
  const inbox = useInbox()
  const ids = shallowRef<ReadonlySet<number>>(new Set())
  const busy = shallowRef(false)
  let anchor: number | null = null

  const count = computed(() => ids.value.size)
  const active = computed(() => count.value > 0)

  function toggle(id: number): void {
    const next = new Set(ids.value)
    if (!next.delete(id) && next.size < MOST_CHOSEN) next.add(id)
    ids.value = next
    anchor = id
  }

  /** Everything between the row chosen last and this one, in the order of the list. */
  function reach(id: number): void {
    const order = inbox.list.map((row) => row.id)
    const [from, to] = [order.indexOf(anchor ?? id), order.indexOf(id)]
    if (from < 0 || to < 0) return toggle(id)
    const next = new Set(ids.value)
    for (const one of order.slice(Math.min(from, to), Math.max(from, to) + 1)) if (next.size < MOST_CHOSEN) next.add(one)
    ids.value = next
  }

  function all(): void {
    ids.value = new Set(inbox.list.slice(0, MOST_CHOSEN).map((row) => row.id))
  }

  function clear(): void {
    ids.value = new Set()
    anchor = null
  }

  /** Does it to all of them; what was refused stays chosen. */
  async function act(body: Omit<BulkInput, 'ids'>): Promise<BulkDone['results']> {
    busy.value = true
    try {
      const done = await listApi.bulk({ ...body, ids: [...ids.value] } as BulkInput)
      for (const view of done.conversations) inbox.takeView(view)
      const refused = done.results.filter((one) => !one.done)
      ids.value = new Set(refused.map((one) => one.id))
      return refused
    } finally {
      busy.value = false
    }
  }

  return { ids, busy, count, active, toggle, reach, all, clear, act }
})
