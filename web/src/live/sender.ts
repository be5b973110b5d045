/**
 * Brings outbox entries to the service: in order within a conversation, one at a time, with the same token until the
 * service has answered. Knows nothing of Vue.
 */

import { ApiError } from '@/api/client'
import type { MessageView } from '@/api/types'
import { isOf, type OutboxEntry, type OutboxStorage } from '@/model/outbox'
import { backoffMilliseconds } from './backoff'

export interface SenderOptions {
  storage: OutboxStorage
  send: (entry: OutboxEntry) => Promise<readonly MessageView[]>
  onSent: (messages: readonly MessageView[], entry: OutboxEntry) => void
  onChange: () => void
  random?: () => number
}

export class Sender {
  private entries: OutboxEntry[]
  private readonly busy = new Set<number>()
  private readonly retries = new Map<number, ReturnType<typeof setTimeout>>()
  private stopped = false

  constructor(private readonly options: SenderOptions) {
    this.entries = options.storage.load()
  }

  list(): readonly OutboxEntry[] {
    return this.entries
  }

  add(entry: OutboxEntry): void {
    if (this.entries.some((held) => held.token === entry.token)) return
    this.entries.push(entry)
    this.options.storage.save(entry)
    this.options.onChange()
    void this.work(entry.conversationId)
  }

  /** The service has this message: by its own answer or because it was pushed. */
  acknowledge(token: string): void {
    const known = this.entries.find((entry) => entry.token === token || isOf(entry, token))
    if (!known) return
    this.entries = this.entries.filter((entry) => entry !== known)
    this.options.storage.drop(known.token)
    this.options.onChange()
  }

  /** Only what was refused can be thrown away; what is under way may already have arrived. */
  discard(token: string): OutboxEntry | null {
    const entry = this.entries.find((held) => held.token === token && held.state === 'refused')
    if (entry) this.acknowledge(token)
    return entry ?? null
  }

  /** Something that was refused goes out after all, changed: with the same token, since nothing of it was taken. */
  again(token: string, change: Partial<OutboxEntry>): void {
    const entry = this.entries.find((held) => held.token === token && held.state === 'refused')
    if (!entry) return
    this.update(token, { ...change, state: 'waiting', refusal: null })
    void this.work(entry.conversationId)
  }

  /** Tries everything that waits, now. */
  kick(): void {
    if (this.stopped) return
    for (const timer of this.retries.values()) clearTimeout(timer)
    this.retries.clear()
    for (const id of new Set(this.entries.map((entry) => entry.conversationId))) void this.work(id)
  }

  stop(): void {
    this.stopped = true
    for (const timer of this.retries.values()) clearTimeout(timer)
    this.retries.clear()
  }

  private async work(conversationId: number): Promise<void> {
    if (this.busy.has(conversationId) || this.retries.has(conversationId)) return
    this.busy.add(conversationId)
    try {
      for (;;) {
        const next = this.entries.find(
          (entry) => entry.conversationId === conversationId && entry.state !== 'refused',
        )
        if (!next || this.stopped) return
        if (!(await this.attempt(next))) return
      }
    } finally {
      this.busy.delete(conversationId)
    }
  }

  /** True when the next entry may follow. */
  private async attempt(entry: OutboxEntry): Promise<boolean> {
    const attempts = entry.attempts + 1
    this.update(entry.token, { state: 'sending', attempts })
    try {
      const messages = await this.options.send(entry)
      this.options.onSent(messages, entry)
      this.acknowledge(entry.token)
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 401) {
        this.update(entry.token, { state: 'waiting' })
        return false
      }
      if (error.passing) {
        this.update(entry.token, { state: 'waiting' })
        this.retryLater(entry.conversationId, attempts, error.retryAfterSeconds)
        return false
      }
      this.update(entry.token, { state: 'refused', refusal: { code: error.code, detail: error.message, fields: error.fields } })
      return true
    }
  }

  private retryLater(conversationId: number, attempts: number, seconds: number | null): void {
    if (this.stopped) return
    const wait = backoffMilliseconds(attempts - 1, this.options.random ?? Math.random)
    const timer = setTimeout(
      () => {
        this.retries.delete(conversationId)
        void this.work(conversationId)
      },
      Math.max(wait, (seconds ?? 0) * 1000),
    )
    this.retries.set(conversationId, timer)
  }

  private update(token: string, change: Partial<OutboxEntry>): void {
    this.entries = this.entries.map((entry) => {
      if (entry.token !== token) return entry
      const changed = { ...entry, ...change }
      this.options.storage.save(changed)
      return changed
    })
    this.options.onChange()
  }
}
