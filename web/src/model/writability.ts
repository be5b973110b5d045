/** Whether, how long and how often a rep may write. Pure; the page shows exactly this. */

import type { ChannelView, ConversationView, Kind, SentenceView } from '@/api/types'

export type Writability =
  | { state: 'free' }
  | { state: 'open' | 'soon'; left: number; quota: number; remaining: number; share: number; rule: SentenceView | null }
  | { state: 'closed'; why: Why; sentence: SentenceView | null; rule: SentenceView | null }

/** Why nothing can be written; `sentence` says it in the platform's terms where there is one. */
export type Why = 'role' | 'read_only' | 'disabled' | 'done' | 'platform' | 'never_opened' | 'expired' | 'used_up'

const SOON = 3600_000

export interface Situation {
  conversation: ConversationView
  channel: ChannelView | undefined
  accountDisabled: boolean
  mayReply: boolean
  /** Sends of ours that the service does not know yet. */
  underWay: number
  /** Server time in milliseconds. */
  now: number
}

export function writability(situation: Situation): Writability {
  const { conversation, channel, now } = situation
  const rule = channel?.window?.rule ?? null
  const closed = (why: Why, sentence: SentenceView | null = null): Writability => ({ state: 'closed', why, sentence, rule })

  if (channel && channel.sends.length === 0) return closed('read_only', channel.read_only_reason)
  if (!situation.mayReply) return closed('role')
  if (situation.accountDisabled) return closed('disabled')
  if (conversation.status === 'closed') return closed('done')
  if (!conversation.can_send) return closed('platform', conversation.service_reason)
  if (channel && !channel.window) return { state: 'free' }

  const window = conversation.window
  if (!window) return closed('never_opened')
  const remaining = Date.parse(window.expires_at) - now
  if (remaining <= 0) return closed('expired')
  const left = Math.max(0, window.quota - window.used - situation.underWay)
  if (window.used >= window.quota) return closed('used_up')
  const whole = Date.parse(window.expires_at) - Date.parse(window.opened_at)
  return {
    state: remaining < SOON || left <= 1 ? 'soon' : 'open',
    left,
    quota: window.quota,
    remaining,
    share: whole > 0 ? Math.min(1, remaining / whole) : 0,
    rule,
  }
}

/** Length of a text as the channel counts it. */
export function measure(text: string, unit: 'bytes' | 'characters'): number {
  return unit === 'bytes' ? new TextEncoder().encode(text).length : [...text].length
}

const LINK = /(?:https?:\/\/|www\.)\S+/i

export function hasLink(text: string): boolean {
  return LINK.test(text)
}

export type FileVerdict = { kind: Kind } | { refused: 'kind' | 'size' | 'type'; limit: number }

/** Which kind a file is sent as on this channel, or why it cannot be. */
export function kindForFile(file: { type: string; size: number }, channel: ChannelView): FileVerdict {
  const major = file.type.split('/')[0]
  const natural = major === 'image' ? 'image' : major === 'video' ? 'video' : major === 'audio' ? 'voice' : 'file'
  let refusal: FileVerdict = { refused: 'kind', limit: 0 }
  const tries: readonly Kind[] = natural === 'file' ? ['file'] : [natural, 'file']
  for (const kind of tries) {
    if (!channel.sends.includes(kind)) continue
    const limit = channel.media[kind]
    if (limit && limit.mime_types.length > 0 && !limit.mime_types.includes(file.type)) {
      refusal = { refused: 'type', limit: 0 }
    } else if (limit && file.size > limit.max_bytes) {
      refusal = { refused: 'size', limit: limit.max_bytes }
    } else {
      return { kind }
    }
  }
  return refusal
}
