import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { ApiError } from '@/api/client'
import { listApi, type MessageHit, type PersonHit, type SearchFilter } from '@/api/list'

const PAUSE = 180

/** What the find field looks for, on the service: people, and any sentence ever said. */
export const useSearch = defineStore('search', () => {
  const text = ref('')
  const filter = shallowRef<SearchFilter>({})
  const people = shallowRef<PersonHit[]>([])
  const morePeople = ref(false)
  const messages = shallowRef<MessageHit[]>([])
  const next = ref<number | null>(null)
  const searchedTo = ref<string | null>(null)
  const busy = ref(false)
  const failed = shallowRef<unknown>(null)
  /** What the results are for; '' before the first answer. */
  const answered = ref('')
  const wanted = computed(() => text.value.trim())
  let timer: ReturnType<typeof setTimeout> | undefined
  let under: AbortController | null = null

  function reset(): void {
    people.value = []
    messages.value = []
    next.value = null
    searchedTo.value = null
    answered.value = ''
    failed.value = null
  }

  async function run(): Promise<void> {
    under?.abort()
    const q = wanted.value
    if (!q) {
      busy.value = false
      return reset()
    }
    const mine = new AbortController()
    under = mine
    busy.value = true
    try {
      const filtered = Object.values(filter.value).some((value) => value !== undefined)
      const [found, said] = await Promise.all([
        filtered ? { hits: [], more: false } : listApi.searchPeople(q, 8, mine.signal),
        listApi.searchMessages(q, filter.value, null, 20, mine.signal),
      ])
      if (under !== mine) return
      people.value = found.hits
      morePeople.value = found.more
      messages.value = said.hits
      next.value = said.next_cursor
      searchedTo.value = said.searched_to
      answered.value = q
      failed.value = null
    } catch (error) {
      if (under === mine && !(error instanceof ApiError && mine.signal.aborted)) failed.value = error
    } finally {
      if (under === mine) busy.value = false
    }
  }

  /** Goes on where the service stopped: with full pages, and when it came only so far in its time. */
  async function more(): Promise<void> {
    if (busy.value || next.value === null) return
    const mine = under
    busy.value = true
    try {
      const said = await listApi.searchMessages(answered.value, filter.value, next.value)
      if (under !== mine) return
      messages.value = [...messages.value, ...said.hits]
      next.value = said.next_cursor
      searchedTo.value = said.searched_to
    } catch (error) {
      failed.value = error
    } finally {
      if (under === mine) busy.value = false
    }
  }

  watch([wanted, filter], () => {
    clearTimeout(timer)
    if (!wanted.value) void run()
    else timer = setTimeout(() => void run(), PAUSE)
  })

  return { text, wanted, filter, people, morePeople, messages, next, searchedTo, busy, failed, answered, run, more }
})
