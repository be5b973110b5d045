/** The messages of one conversation, merged from pages, pushes and changes in any order. Pure: no Vue, no network. */

import type { ChangesPage, ConversationPush, MessagePage, MessageView } from '@/api/types'

/**
 * A run of messages without gaps, from some message to the newest. `version` is the conversation's version up to which
 * every change of these messages is known.
 */
export interface Thread {
  readonly id: number
  version: number
  hasBefore: boolean
  messages: Map<number, MessageView>
}

export function threadFrom(page: MessagePage): Thread {
  return {
    id: page.conversation.id,
    version: page.conversation.version,
    hasBefore: page.has_before,
    messages: new Map(page.messages.map((message) => [message.id, message])),
  }
}

export function oldestSeq(thread: Thread): number {
  let oldest = Number.POSITIVE_INFINITY
  for (const message of thread.messages.values()) oldest = Math.min(oldest, message.seq)
  return oldest
}

/** Messages by seq. */
export function ordered(thread: Thread): MessageView[] {
  return [...thread.messages.values()].sort((a, b) => a.seq - b.seq)
}

function takeOne(thread: Thread, message: MessageView): void {
  const held = thread.messages.get(message.id)
  if (!held || held.version < message.version) thread.messages.set(message.id, message)
}

/** Takes new and changed messages; a changed one from before the run stays out, since it would leave a gap. */
function takeAll(thread: Thread, messages: readonly MessageView[]): void {
  const from = thread.hasBefore ? oldestSeq(thread) : 0
  for (const message of messages) if (message.seq >= from) takeOne(thread, message)
}

/** Takes the answer to an action on one message. It says nothing about other changes, so the version stays. */
export function takeMessage(thread: Thread, message: MessageView): void {
  takeAll(thread, [message])
}

/** `behind`: changes are missing, ask for them since `thread.version`. */
export function takePush(thread: Thread, push: ConversationPush): 'taken' | 'old' | 'behind' {
  if (push.conversation.version <= thread.version) return 'old'
  if (push.from_version > thread.version) return 'behind'
  takeAll(thread, push.messages)
  thread.version = push.conversation.version
  return 'taken'
}

export function takeChanges(thread: Thread, page: ChangesPage): void {
  takeAll(thread, page.messages)
  thread.version = Math.max(thread.version, page.up_to_version)
}

/**
 * Puts an older page in front. The page may have been read before changes that were already taken (and left out, being
 * older than the run). Then the returned version is where to ask for changes from; otherwise null.
 */
export function takeOlder(thread: Thread, page: MessagePage): number | null {
  const readBefore = page.conversation.version < thread.version ? page.conversation.version : null
  for (const message of page.messages) takeOne(thread, message)
  thread.hasBefore = page.has_before
  return readBefore
}

/** Changes asked for after {@link takeOlder}: they repair single messages and do not move the version. */
export function repair(thread: Thread, messages: readonly MessageView[]): void {
  takeAll(thread, messages)
}
