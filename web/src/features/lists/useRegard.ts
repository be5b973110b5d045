import { computed, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import type { Condition, Group, Sort, ViewData } from '@/api/lists'
import { isGroup } from '@/api/lists'

/** What is being looked at: a view, what was changed of it, and the customer beside it. All of it stands in the address. */
export interface Regard {
  view: string
  filter: Group
  sort: Sort[]
  columns: string[]
}

export const NOBODY_ASKED: Group = { match: 'all', parts: [] }

function parsed<T>(text: unknown): T | null {
  if (typeof text !== 'string' || !text) return null
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}

const wellFormed = (group: Group | null): Group | null =>
  group && typeof group === 'object' && Array.isArray(group.parts) ? { match: group.match ?? 'all', parts: group.parts } : null

export function useRegard(dataOf: (view: string) => ViewData | null, standard: () => string) {
  const route = useRoute()
  const router = useRouter()

  const view = computed(() => (typeof route.query.view === 'string' ? route.query.view : route.query.filter ? 'all' : standard()))
  const kept = computed(() => dataOf(view.value))
  const filter = computed<Group>(() => wellFormed(parsed<Group>(route.query.filter)) ?? kept.value?.filter ?? NOBODY_ASKED)
  const sort = computed<Sort[]>(() => parsed<Sort[]>(route.query.sort) ?? kept.value?.sort ?? [])
  const columns = ref<string[]>([])
  watch(kept, (now) => (columns.value = now?.columns ?? []), { immediate: true })
  const customer = computed(() => Number(route.query.c) || null)

  const changed = computed(
    () => route.query.filter !== undefined || route.query.sort !== undefined || columns.value.join() !== (kept.value?.columns ?? []).join(),
  )

  function go(query: Record<string, string | undefined>, replace = false): void {
    const next = { ...route.query, ...query }
    for (const key of Object.keys(next)) if (next[key] === undefined || next[key] === '') delete next[key]
    void router[replace ? 'replace' : 'push']({ query: next })
  }

  const openView = (key: string): void => go({ view: key, filter: undefined, sort: undefined, c: undefined })
  const setFilter = (wanted: Group): void => go({ view: view.value, filter: JSON.stringify(wanted), c: undefined }, true)
  const setSort = (wanted: Sort[]): void => go({ view: view.value, sort: wanted.length ? JSON.stringify(wanted) : undefined }, true)
  const open = (id: number | null): void => go({ c: id === null ? undefined : String(id) }, customer.value !== null)

  /** Words typed into the search field, as a condition of their own. */
  const words = computed(() => {
    const one = filter.value.match === 'all' ? filter.value.parts.find((part): part is Condition => !isGroup(part) && part.field === 'search') : undefined
    return String(one?.value ?? '')
  })
  function setWords(text: string): void {
    const base: Group = filter.value.match === 'all' ? filter.value : { match: 'all', parts: [filter.value] }
    const rest = base.parts.filter((part) => isGroup(part) || part.field !== 'search')
    const own: Condition[] = text.trim() ? [{ field: 'search', op: 'contains', value: text.trim() }] : []
    setFilter({ match: 'all', parts: [...rest, ...own] })
  }

  return { view, filter, sort, columns, customer, changed, kept, openView, setFilter, setSort, open, words, setWords }
}
