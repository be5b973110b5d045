/** Two who answer at once. Pure: no Vue, no network. */

import type { MessageView } from '@/api/types'

/** Nobody has read what appeared this shortly before Enter was pressed. */
const UNREAD_YET = 6000

/**
 * The newest message that a writer has before the eyes, as the service wants to know it: a colleague's answer after it stops the
 * send. What a colleague answered only seconds ago does not count as seen, though the page shows it already.
 */
export function seenSeqOf(messages: readonly MessageView[], agentId: number, now: number): number | null {
  const newest = messages.at(-1)
  if (!newest) return null
  const fresh = messages.find(
    (one) =>
      one.direction === 'out' && one.sender.kind === 'agent' && one.sender.agent_id !== agentId && now - Date.parse(one.sent_at) < UNREAD_YET,
  )
  return fresh ? fresh.seq - 1 : newest.seq
}
