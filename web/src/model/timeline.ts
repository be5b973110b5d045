/** What a thread shows, row by row: messages with day, unread and grouping marks, then what is still on its way. */

import type { MessageView } from '@/api/types'
import type { OutboxEntry } from './outbox'

export interface Marks {
  /** First of its day: the separator's time. */
  day: string | null
  /** First after a long silence on the same day. */
  pause: string | null
  /** The unread line stands above. */
  unread: boolean
  /** Same sender shortly after: no avatar, closer. */
  follows: boolean
}

export type Row =
  | { key: string; type: 'message'; message: MessageView; marks: Marks }
  | { key: string; type: 'pending'; entry: OutboxEntry; marks: Marks }

const CLOSE = 3 * 60_000
const LONG = 30 * 60_000

function sameDay(a: string, b: string): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}

function marksFor(at: string, sender: string, before: Before | null, unread: boolean): Marks {
  if (before === null || !sameDay(before.at, at)) return { day: at, pause: null, unread, follows: false }
  const gap = Date.parse(at) - Date.parse(before.at)
  if (gap > LONG) return { day: null, pause: at, unread, follows: false }
  return { day: null, pause: null, unread, follows: !unread && before.sender === sender && gap < CLOSE }
}

interface Before {
  at: string
  sender: string
}

function senderOf(message: MessageView): string {
  const { kind, agent_id, id } = message.sender
  return `${message.direction}/${kind}/${agent_id ?? id}`
}

/**
 * `unreadAfter`: the last seq that was read when the thread was opened (null: no unread line).
 * Entries whose message is already there are left out, so that nothing is ever shown twice.
 */
export function timeline(
  messages: readonly MessageView[],
  pending: readonly OutboxEntry[],
  unreadAfter: number | null,
  agentId: number,
): Row[] {
  const result: Row[] = []
  const tokens = new Set<string>()
  let before: Before | null = null
  let lineDrawn = unreadAfter === null

  for (const message of messages) {
    if (message.client_token) tokens.add(message.client_token)
    const at = message.sent_at
    const sender = senderOf(message)
    const unread = !lineDrawn && message.direction === 'in' && message.seq > (unreadAfter ?? 0)
    if (unread) lineDrawn = true
    // The key of our own sends is their token: the row stays the same element when it becomes a message.
    const key = message.client_token ? `t${message.client_token}` : `m${message.id}`
    result.push({ key, type: 'message', message, marks: marksFor(at, sender, before, unread) })
    before = { at, sender: message.kind === 'system' ? 'system' : sender }
  }

  for (const entry of pending) {
    if (tokens.has(entry.token)) continue
    const at = entry.createdAt
    const sender = `out/agent/${agentId}`
    result.push({ key: `t${entry.token}`, type: 'pending', entry, marks: marksFor(at, sender, before, false) })
    before = { at, sender }
  }
  return result
}
