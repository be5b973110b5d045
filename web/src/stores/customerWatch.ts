import { defineStore } from 'pinia'
import { onScopeDispose, watch } from 'vue'
import { useLive } from './live'

interface Follower {
  ids: () => readonly number[]
  heard: () => void
}

/** The customers in sight: the service is told which, and tells when something about them changes. */
export const useCustomerWatch = defineStore('customerWatch', () => {
  const followers = new Set<Follower>()
  let said = ''

  function wanted(): number[] {
    return [...new Set([...followers].flatMap((one) => [...one.ids()]))].sort((a, b) => a - b).slice(0, 200)
  }

  /** Says it when it is another set than before; after a new connection it has to be said again. */
  function announce(again = false): void {
    const ids = wanted()
    if (!again && said === ids.join()) return
    said = ids.join()
    useLive().say({ type: 'customers', ids })
  }

  /** Calls `heard` when one of the customers changed, and after a time without a connection. Returns how to stop. */
  function follow(ids: () => readonly number[], heard: () => void): () => void {
    const one: Follower = { ids, heard }
    followers.add(one)
    const stop = watch(ids, () => announce(), { immediate: true })
    onScopeDispose(stop)
    return () => {
      stop()
      followers.delete(one)
      announce()
    }
  }

  function take(id: number): void {
    for (const one of followers) if (one.ids().includes(id)) one.heard()
  }

  /** After a time without a connection anything may have changed. */
  function resync(): void {
    announce(true)
    for (const one of followers) one.heard()
  }

  return { follow, take, resync }
})
