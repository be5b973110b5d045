/** The messages and events of one conversation, merged from pages, pushes and changes in any order. Pure: no Vue, no network. */

import type { ChangesPage, ConversationPush, EventView, MessagePage, MessageView } from '@/api/types'

/**
 * A window: a run of messages without gaps, with what happened between them. Without `hasAfter` it ends at the newest and grows
 * with what arrives. `version` is the conversation's version up to which every change of these messages is known.
 */
export interface Thread {
  readonly id: number
  version: number
  hasBefore: boolean
  hasAfter: boolean
  messages: Map<number, MessageView>
  events: Map<number, EventView>
}

export function threadFrom(page: MessagePage): Thread {
  return {
    id: page.conversation.id,
    version: page.conversation.version,
    hasBefore: page.has_before,
    hasAfter: page.has_after,
    messages: new Map(page.messages.map((message) => [message.id, message])),
    events: new Map(page.events.map((event) => [event.id, event])),
  }
}

export function oldestSeq(thread: Thread): number {
  let oldest = Number.POSITIVE_INFINITY
  for (const message of thread.messages.values()) oldest = Math.min(oldest, message.seq)
  return oldest
}

export function newestSeq(thread: Thread): number {
  let newest = 0
  for (const message of thread.messages.values()) newest = Math.max(newest, message.seq)
  return newest
}

/** Messages by seq. */
export function ordered(thread: Thread): MessageView[] {
  return [...thread.messages.values()].sort((a, b) => a.seq - b.seq)
}

/** Events in the order in which they happened; those of seq n stand after message n. */
export function orderedEvents(thread: Thread): EventView[] {
  return [...thread.events.values()].sort((a, b) => a.seq - b.seq || a.version - b.version)
}

function takeOne(thread: Thread, message: MessageView): void {
  const held = thread.messages.get(message.id)
  if (!held || held.version < message.version) thread.messages.set(message.id, message)
}

/** Takes what is new and changed; what lies outside the window stays out, since it would leave a gap. */
function takeAll(thread: Thread, messages: readonly MessageView[], events: readonly EventView[]): void {
  const from = thread.hasBefore ? oldestSeq(thread) : 0
  const to = thread.hasAfter ? newestSeq(thread) : Number.POSITIVE_INFINITY
  for (const message of messages) if (message.seq >= from && message.seq <= to) takeOne(thread, message)
  for (const event of events) if (event.seq >= from && event.seq <= to) thread.events.set(event.id, event)
}

/** Takes the answer to an action on one message. It says nothing about other changes, so the version stays. */
export function takeMessage(thread: Thread, message: MessageView): void {
  takeAll(thread, [message], [])
}

/** `behind`: changes are missing, ask for them since `thread.version`. */
export function takePush(thread: Thread, push: ConversationPush): 'taken' | 'old' | 'behind' {
  if (push.conversation.version <= thread.version) return 'old'
  if (push.from_version > thread.version) return 'behind'
  takeAll(thread, push.messages, push.events)
  thread.version = push.conversation.version
  return 'taken'
}

export function takeChanges(thread: Thread, page: ChangesPage): void {
  takeAll(thread, page.messages, page.events)
  thread.version = Math.max(thread.version, page.up_to_version)
}

/**
 * Puts an older page in front. The page may have been read before changes that were already taken (and left out, being
 * outside the window). Then the returned version is where to ask for changes from; otherwise null.
 */
export function takeOlder(thread: Thread, page: MessagePage): number | null {
  takePage(thread, page)
  thread.hasBefore = page.has_before
  return readEarlier(thread, page)
}

/** Puts a newer page behind; see {@link takeOlder}. */
export function takeNewer(thread: Thread, page: MessagePage): number | null {
  takePage(thread, page)
  thread.hasAfter = page.has_after
  return readEarlier(thread, page)
}

function takePage(thread: Thread, page: MessagePage): void {
  for (const message of page.messages) takeOne(thread, message)
  for (const event of page.events) thread.events.set(event.id, event)
}

function readEarlier(thread: Thread, page: MessagePage): number | null {
  return page.conversation.version < thread.version ? page.conversation.version : null
}

/** Changes asked for after {@link takeOlder} and {@link takeNewer}: they repair and do not move the version. */
export function repair(thread: Thread, page: Pick<ChangesPage, 'messages' | 'events'>): void {
  takeAll(thread, page.messages, page.events)
}
