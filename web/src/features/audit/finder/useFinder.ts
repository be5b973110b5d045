import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { finderApi, type Facets, type Hit, type Hits, type PageQuestion } from '@/api/finder'
import { useSession } from '@/stores/session'
import { isNothing, questionOf, type Wanted } from './address'

const PAGE = 40
/** A page may come back empty because the service looked for as long as it may: so often it goes on by itself. */
const PATIENCE = 25

/** One search at a time: its finds page by page, and what they are made of. */
export function useFinder(wanted: Ref<Wanted>) {
  const session = useSession()
  const hits = shallowRef<Hit[]>([])
  const words = shallowRef<string[]>([])
  const facets = shallowRef<Facets | null>(null)
  const next = ref<string | null>(null)
  const searchedTo = ref<string | null>(null)
  const busy = ref(false)
  const counting = ref(false)
  const failure = shallowRef<unknown>(null)
  const answered = ref(false)
  let under: AbortController | null = null

  const question = computed(() => questionOf(wanted.value, session.me?.zone ?? 'Asia/Shanghai'))
  const asked = computed(() => JSON.stringify([question.value, wanted.value.sort, wanted.value.group]))

  function pageQuestion(cursor?: string): PageQuestion {
    return { ...question.value, sort: wanted.value.sort, group: wanted.value.group || undefined, limit: PAGE, cursor }
  }

  async function run(): Promise<void> {
    under?.abort()
    const mine = new AbortController()
    under = mine
    failure.value = null
    void count(mine)
    if (isNothing(wanted.value)) {
      // Without a question only the counts are asked for: they tell what there is, and leave no line in the trail.
      take({ hits: [], next_cursor: null, searched_to: null, words: [] }, [])
      busy.value = answered.value = false
      return
    }
    busy.value = true
    try {
      let page = await finderApi.search(pageQuestion(), mine.signal)
      if (under !== mine) return
      take(page, [])
      answered.value = true
      for (let times = 0; page.next_cursor && hits.value.length < PAGE / 2 && times < PATIENCE; times += 1) {
        page = await finderApi.search(pageQuestion(page.next_cursor), mine.signal)
        if (under !== mine) return
        take(page, hits.value)
      }
    } catch (error) {
      if (under === mine) failure.value = error
    } finally {
      if (under === mine) busy.value = false
    }
  }

  function take(page: Hits, before: Hit[]): void {
    const known = new Set(before.map((hit) => hit.message_id))
    hits.value = [...before, ...page.hits.filter((hit) => !known.has(hit.message_id))]
    next.value = page.next_cursor
    searchedTo.value = page.searched_to
    words.value = page.words
  }

  async function more(): Promise<void> {
    const mine = under
    if (busy.value || next.value === null || !mine) return
    busy.value = true
    failure.value = null
    try {
      const before = hits.value.length
      for (let times = 0; next.value !== null && hits.value.length === before && times < PATIENCE; times += 1) {
        const page = await finderApi.search(pageQuestion(next.value), mine.signal)
        if (under !== mine) return
        take(page, hits.value)
      }
    } catch (error) {
      if (under === mine) failure.value = error
    } finally {
      if (under === mine) busy.value = false
    }
  }

  async function count(mine: AbortController): Promise<void> {
    counting.value = true
    try {
      const told = await finderApi.facets(question.value, mine.signal)
      if (under === mine) facets.value = told
    } catch {
      // The finds stand without their counts; what is wrong is told beside them.
      if (under === mine) facets.value = null
    } finally {
      if (under === mine) counting.value = false
    }
  }

  watch(asked, () => void run(), { immediate: true })
  onScopeDispose(() => under?.abort())

  return { hits, words, facets, next, searchedTo, busy, counting, failure, answered, run, more }
}
