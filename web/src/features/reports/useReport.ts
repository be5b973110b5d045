import { reactive, watch, type WatchSource } from 'vue'

/** One report that is read again whenever what it is asked with changes; the last question wins. */
export function useReport<T>(asked: WatchSource<unknown>, read: () => Promise<T> | null) {
  const state = reactive({ found: null as T | null, failure: null as unknown, loaded: false })
  let turn = 0
  async function load(): Promise<void> {
    const mine = ++turn
    const reading = read()
    if (reading === null) return
    state.failure = null
    try {
      const found = await reading
      if (mine !== turn) return
      state.found = found as typeof state.found
      state.loaded = true
    } catch (error) {
      if (mine === turn) state.failure = error
    }
  }
  watch(asked, load, { immediate: true, deep: true })
  return { state, load }
}
