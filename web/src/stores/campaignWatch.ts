import { defineStore } from 'pinia'
import { onScopeDispose, watch } from 'vue'
import { useLive } from './live'

interface Follower {
  ids: () => readonly number[]
  heard: () => void
}

/** The campaigns in sight: the service is told which, and tells when one of them moves. */
export const useCampaignWatch = defineStore('campaignWatch', () => {
  const followers = new Set<Follower>()
  let said = ''

  /** After a new connection it has to be said again. */
  function announce(again = false): void {
    const ids = [...new Set([...followers].flatMap((one) => [...one.ids()]))].sort((a, b) => a - b).slice(0, 100)
    if (!again && said === ids.join()) return
    said = ids.join()
    useLive().say({ type: 'campaigns', ids })
  }

  /** Calls `heard` when one of them moved, and after a time without a connection, as long as the caller is in sight. */
  function follow(ids: () => readonly number[], heard: () => void): void {
    const one: Follower = { ids, heard }
    followers.add(one)
    const stop = watch(ids, () => announce(), { immediate: true })
    onScopeDispose(() => {
      stop()
      followers.delete(one)
      announce()
    })
  }

  function take(id: number): void {
    for (const one of followers) if (one.ids().includes(id)) one.heard()
  }

  function resync(): void {
    if (followers.size === 0) return
    announce(true)
    for (const one of followers) one.heard()
  }

  return { follow, take, resync }
})
