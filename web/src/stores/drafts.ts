import { defineStore } from 'pinia'
import { ref } from 'vue'
import { compose, type DraftView } from '@/api/compose'
import { ApiError } from '@/api/client'
import { joined } from '@/model/drafts'
import { useSession } from './session'

const PAUSE = 700
const AGAIN = 5000

interface Held {
  text: string
  /** The service's revision that the text grew from. */
  revision: number
  /** The service does not have it yet. */
  dirty: boolean
}

/** What was typed and not sent, per conversation: in this browser at once, on the service a moment later. */
export const useDrafts = defineStore('drafts', () => {
  const session = useSession()
  const held = ref(new Map<number, Held>())
  const timers = new Map<number, ReturnType<typeof setTimeout>>()
  const saving = new Set<number>()

  const prefix = (): string => `scrm.draft.${session.agentId}.`

  function stored(id: number): Held {
    const text = localStorage.getItem(prefix() + id)
    if (text === null) return { text: '', revision: 0, dirty: false }
    try {
      const found = JSON.parse(text) as Held
      if (typeof found.text === 'string') return found
    } catch {
      // Kept by an earlier version, as plain text.
    }
    return { text, revision: 0, dirty: true }
  }

  function known(id: number): Held {
    return held.value.get(id) ?? stored(id)
  }

  function keep(id: number, next: Held): void {
    held.value.set(id, next)
    try {
      if (next.text || next.dirty) localStorage.setItem(prefix() + id, JSON.stringify(next))
      else localStorage.removeItem(prefix() + id)
    } catch {
      // Without storage the draft lasts as long as the page, and on the service.
    }
  }

  const of = (id: number): string => known(id).text

  function set(id: number, text: string): void {
    const before = known(id)
    if (before.text === text) return
    keep(id, { ...before, text, dirty: true })
    // An emptied field is told at once: what was sent must not come back as a draft elsewhere.
    plan(id, text ? PAUSE : 0)
  }

  function plan(id: number, wait: number): void {
    clearTimeout(timers.get(id))
    timers.set(id, setTimeout(() => void save(id), wait))
  }

  async function save(id: number): Promise<void> {
    clearTimeout(timers.get(id))
    timers.delete(id)
    const { text, revision, dirty } = known(id)
    if (!dirty || saving.has(id)) return
    saving.add(id)
    try {
      const answer = await compose.saveDraft(id, text, revision)
      settle(id, text, answer.draft, answer.kept)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.passing || error.status === 401) plan(id, AGAIN)
      // The conversation is no longer ours: the words stay here.
      else keep(id, { ...known(id), dirty: false })
    } finally {
      saving.delete(id)
      const now = known(id)
      if (now.dirty && !timers.has(id)) plan(id, PAUSE)
    }
  }

  /** What the service has now. Words that were typed elsewhere meanwhile are put in front of those typed here. */
  function settle(id: number, sent: string, draft: DraftView, kept: boolean): void {
    const now = known(id)
    if (kept) keep(id, { text: now.text, revision: draft.revision, dirty: now.text.trim() !== sent.trim() })
    else {
      const text = joined(draft.text, now.text)
      keep(id, { text, revision: draft.revision, dirty: text !== draft.text })
    }
  }

  /** Pushed, or read after connecting. Words typed here that the service has not seen are never overwritten. */
  function take(draft: DraftView): void {
    const now = known(draft.conversation_id)
    if (draft.revision <= now.revision) return
    if (now.dirty) plan(draft.conversation_id, 0)
    else keep(draft.conversation_id, { text: draft.text, revision: draft.revision, dirty: false })
  }

  async function load(): Promise<void> {
    for (let index = 0; index < localStorage.length; index += 1) {
      const key = localStorage.key(index)
      const id = key?.startsWith(prefix()) ? Number(key.slice(prefix().length)) : 0
      if (id && !held.value.has(id)) held.value.set(id, stored(id))
    }
    const before = new Map(held.value)
    const { drafts } = await compose.drafts()
    const there = new Set(drafts.map((draft) => draft.conversation_id))
    for (const draft of drafts) take(draft)
    for (const [id, one] of before) {
      // Emptied or sent elsewhere while we were away.
      if (!one.dirty && one.text && !there.has(id) && drafts.length < 500 && held.value.get(id) === one) keep(id, { text: '', revision: one.revision, dirty: false })
      if (known(id).dirty) plan(id, 0)
    }
  }

  function clear(): void {
    for (const timer of timers.values()) clearTimeout(timer)
    timers.clear()
    held.value = new Map()
  }

  return { held, of, set, take, load, clear }
})
