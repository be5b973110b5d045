import { defineStore } from 'pinia'
import { retention } from '@/api/retention'

const FRESH = 5 * 60_000
type Policy = Awaited<ReturnType<typeof retention.privacy>>

/** What the company wants shown over chats: asked for once in a while, not with each chat. */
export const usePrivacy = defineStore('privacy', () => {
  let asked: Promise<Policy | null> | undefined
  let at = 0

  function policy(): Promise<Policy | null> {
    if (!asked || Date.now() - at > FRESH) {
      at = Date.now()
      asked = retention.privacy().catch(() => {
        at = 0
        return null
      })
    }
    return asked
  }

  /** It was changed here. */
  function forget(): void {
    asked = undefined
  }

  return { policy, forget }
})
