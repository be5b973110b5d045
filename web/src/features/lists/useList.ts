import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { lists, type Count, type CustomerRow, type Group, type Sort } from '@/api/lists'

export const PAGE = 60
/** Rows that are kept in sight and memory; further ones are read again on the way back. */
const MOST_ROWS = 1200

/** The rows of one filter in one order, read as somebody scrolls, and how many there are. */
export function useList() {
  const rows = shallowRef<CustomerRow[]>([])
  const count = shallowRef<Count | null>(null)
  const loading = ref(false)
  const failure = shallowRef<unknown>(null)
  const next = ref<string | null>(null)
  const before = ref<string | null>(null)
  let asked = { filter: { match: 'all', parts: [] } as Group, sort: [] as Sort[], deleted: false }
  let turn = 0

  async function read(filter: Group, sort: Sort[], deleted = false): Promise<void> {
    asked = { filter, sort, deleted }
    const mine = ++turn
    loading.value = true
    failure.value = null
    count.value = null
    void lists.count(filter, deleted).then(
      (found) => mine === turn && (count.value = found),
      () => undefined,
    )
    try {
      const page = await lists.search({ ...asked, limit: PAGE })
      if (mine !== turn) return
      rows.value = page.customers
      next.value = page.next_cursor
      before.value = null
    } catch (error) {
      if (mine === turn) {
        failure.value = error
        rows.value = []
        next.value = before.value = null
      }
    } finally {
      if (mine === turn) loading.value = false
    }
  }
  const again = (): Promise<void> => read(asked.filter, asked.sort, asked.deleted)

  async function more(): Promise<void> {
    if (loading.value || !next.value) return
    const mine = turn
    loading.value = true
    try {
      const page = await lists.search({ ...asked, cursor: next.value, limit: PAGE })
      if (mine !== turn) return
      const known = new Set(page.customers.map((one) => one.id))
      rows.value = [...rows.value.filter((one) => !known.has(one.id)), ...page.customers].slice(-MOST_ROWS)
      if (rows.value.length === MOST_ROWS) before.value = page.previous_cursor
      next.value = page.next_cursor
    } catch (error) {
      if (mine === turn) failure.value = error
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  /** Reads the rows in sight anew, where they stand. */
  async function refresh(): Promise<void> {
    const mine = turn
    if (loading.value || rows.value.length > 3 * PAGE) return
    try {
      const page = await lists.search({ ...asked, limit: Math.max(PAGE, Math.min(rows.value.length, 3 * PAGE)) })
      const found = await lists.count(asked.filter, asked.deleted)
      if (mine !== turn || loading.value) return
      rows.value = page.customers
      next.value = page.next_cursor
      count.value = found
    } catch {
      // What is shown stays; the next look tries again.
    }
  }

  onScopeDispose(() => ++turn)
  return { rows, count, loading, failure, read, again, more, refresh, ended: computed(() => next.value === null) }
}
