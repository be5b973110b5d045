import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { whole, type StoryEntry, type StoryPart } from '@/api/whole'
import { useCustomerWatch } from '@/stores/customerWatch'
import { useInbox } from '@/stores/inbox'

/** The story of a customer: pages on demand, and what is new on top as it happens. */
export function useStory(customerId: number, parts: Ref<readonly StoryPart[]>) {
  const entries = shallowRef<StoryEntry[]>([])
  const next = ref<string | null>(null)
  const loaded = ref(false)
  const loading = ref(false)
  const failure = ref<unknown>(null)
  let asked = 0
  let again: ReturnType<typeof setTimeout> | undefined

  async function load(): Promise<void> {
    const mine = ++asked
    loading.value = true
    try {
      const page = await whole.story(customerId, parts.value)
      if (mine !== asked) return
      entries.value = page.entries
      next.value = page.next_cursor
      loaded.value = true
      failure.value = null
    } catch (error) {
      if (mine === asked) failure.value = error
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  async function more(): Promise<void> {
    if (next.value === null || loading.value) return
    const mine = ++asked
    loading.value = true
    try {
      const page = await whole.story(customerId, parts.value, next.value)
      if (mine !== asked) return
      const held = new Set(entries.value.map((one) => one.key))
      entries.value = [...entries.value, ...page.entries.filter((one) => !held.has(one.key))]
      next.value = page.next_cursor
      failure.value = null
    } catch (error) {
      if (mine === asked) failure.value = error
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  /** Reads the newest again and lays it over what is held: what is older stays as it is, so that nothing jumps. */
  async function refresh(): Promise<void> {
    if (!loaded.value || loading.value) return later()
    const mine = asked
    try {
      const page = await whole.story(customerId, parts.value)
      if (mine !== asked) return
      const last = page.entries.at(-1)
      if (!last || page.next_cursor === null) {
        entries.value = page.entries
        next.value = page.next_cursor
        return
      }
      const fresh = new Set(page.entries.map((one) => one.key))
      const at = entries.value.findIndex((one) => one.key === last.key)
      // So much is new that the two do not meet: begin anew.
      if (at < 0 && !entries.value.some((one) => fresh.has(one.key))) {
        entries.value = page.entries
        next.value = page.next_cursor
      } else {
        entries.value = [...page.entries, ...entries.value.filter((one) => !fresh.has(one.key) && one.at <= last.at)]
      }
    } catch {
      // What is shown stays; the next change, or a new connection, asks again.
    }
  }

  function later(): void {
    clearTimeout(again)
    again = setTimeout(() => void refresh(), 250)
  }

  watch(parts, () => {
    entries.value = []
    loaded.value = false
    next.value = null
    void load()
  })
  onScopeDispose(useCustomerWatch().follow(() => [customerId], later))
  // Messages ring for their conversation: the inbox hears of those that the reader may see.
  const inbox = useInbox()
  watch(
    () => {
      let newest = 0
      for (const one of inbox.held.values()) if (one.contact?.customer_id === customerId) newest += one.version
      return newest
    },
    later,
  )
  onScopeDispose(() => clearTimeout(again))
  void load()
  return { entries, next, loaded, loading, failure, load, more }
}
