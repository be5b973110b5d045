/** What a thread shows, row by row: messages with day, unread and grouping marks, what happened between them, what was said in the
 * customer's other conversations meanwhile (when asked for), then what is still on its way. */

import type { EventView, MessageView } from '@/api/types'
import { sameDay } from '@/ui/time'
import { shownEntries, type OutboxEntry } from './outbox'

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
  | { key: string; type: 'event'; event: EventView; marks: Marks }
  | { key: string; type: 'elsewhere'; message: MessageView; /** Another conversation begins here. */ begins: boolean; marks: Marks }

/** The rest of a thread: events by seq, and messages of other conversations by time. */
export interface Around {
  events?: readonly EventView[]
  elsewhere?: readonly MessageView[]
}

/** What figures are made of, but would only be noise between the messages; the history panel shows all. */
const QUIET = new Set(['opened', 'answered', 'sla_started', 'sla_met'])

const CLOSE = 3 * 60_000
const LONG = 30 * 60_000

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
  around: Around = {},
): Row[] {
  const result: Row[] = []
  const tokens = new Set<string>()
  const events = (around.events ?? []).filter((event) => !QUIET.has(event.kind))
  const elsewhere = around.elsewhere ?? []
  let before: Before | null = null
  let lineDrawn = unreadAfter === null
  let nextEvent = 0
  let nextElsewhere = 0

  function eventsUpTo(seq: number): void {
    for (let event = events[nextEvent]; event && event.seq <= seq; event = events[nextEvent]) {
      result.push({ key: `e${event.id}`, type: 'event', event, marks: marksFor(event.at, 'event', before, false) })
      before = { at: event.at, sender: 'event' }
      nextEvent += 1
    }
  }

  function elsewhereUntil(at: string): void {
    for (let message = elsewhere[nextElsewhere]; message && message.sent_at < at; message = elsewhere[nextElsewhere]) {
      const sender = `${message.conversation_id}/${senderOf(message)}`
      const previous = result.at(-1)
      const begins = previous?.type !== 'elsewhere' || previous.message.conversation_id !== message.conversation_id
      result.push({ key: `x${message.id}`, type: 'elsewhere', message, begins, marks: marksFor(message.sent_at, sender, before, false) })
      before = { at: message.sent_at, sender }
      nextElsewhere += 1
    }
  }

  for (const message of messages) {
    eventsUpTo(message.seq - 1)
    elsewhereUntil(message.sent_at)
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
  eventsUpTo(Number.POSITIVE_INFINITY)
  elsewhereUntil('9')

  for (const entry of pending.flatMap(shownEntries)) {
    if (tokens.has(entry.token)) continue
    const at = entry.createdAt
    const sender = `out/agent/${agentId}`
    result.push({ key: `t${entry.token}`, type: 'pending', entry, marks: marksFor(at, sender, before, false) })
    before = { at, sender }
  }
  return result
}
