/** Messages that the rep has sent and the service has not yet acknowledged. They survive a reload. */

import type { AttachmentView, Kind, SendRequest } from '@/api/types'
import { requestPart, type Piece, type Source } from './pieces'

export interface OutboxEntry {
  /** Also the `client_token`: the same on every attempt, so that the service can tell a repetition. */
  token: string
  conversationId: number
  kind: Kind
  text: string
  content: Record<string, unknown>
  attachment: AttachmentView | null
  /** Where the file lies when it is no upload. */
  source?: Source | null
  /** Several pieces, sent as one; piece n is shown, and acknowledged, by the token `{token}-{n}`. */
  pieces?: Piece[]
  /** A private note, with who is meant. */
  note?: { mentionIds: number[] }
  quickReplyId?: number | null
  /** The newest message that was in sight: an answer of a colleague after it stops the send. Null: send anyway. */
  seenSeq?: number | null
  /** What follows when it has been accepted. */
  then?: 'close'
  /** Of a row that shows one piece: the entry it belongs to. */
  stack?: { token: string; last: boolean }
  createdAt: string
  /** `refused`: certainly not sent, and the same request would be refused again. */
  state: 'waiting' | 'sending' | 'refused'
  attempts: number
  /** Why it was refused: the service's code and sentence. */
  refusal: { code: string; detail: string; fields?: Record<string, string> } | null
}

export interface KeyValueStore {
  readonly length: number
  key(index: number): string | null
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

/** One key per entry, so that two tabs never overwrite each other's. */
export class OutboxStorage {
  private readonly prefix: string

  constructor(
    private readonly store: KeyValueStore,
    agentId: number,
  ) {
    this.prefix = `scrm.outbox.${agentId}.`
  }

  load(): OutboxEntry[] {
    const entries: OutboxEntry[] = []
    for (let index = 0; index < this.store.length; index += 1) {
      const key = this.store.key(index)
      if (!key?.startsWith(this.prefix)) continue
      const entry = parse(this.store.getItem(key))
      if (entry) entries.push(entry)
    }
    return entries.sort((a, b) => a.createdAt.localeCompare(b.createdAt))
  }

  save(entry: OutboxEntry): void {
    // What was under way when the page went away has to be tried again.
    const state = entry.state === 'sending' ? 'waiting' : entry.state
    try {
      this.store.setItem(this.prefix + entry.token, JSON.stringify({ ...entry, state }))
    } catch {
      // A full store loses the survival of a reload, not the send itself.
    }
  }

  drop(token: string): void {
    this.store.removeItem(this.prefix + token)
  }
}

function parse(text: string | null): OutboxEntry | null {
  try {
    const entry = JSON.parse(text ?? '') as OutboxEntry
    return typeof entry.token === 'string' && typeof entry.conversationId === 'number' ? entry : null
  } catch {
    return null
  }
}

/** The entry that a message's token belongs to: its own, or that of the stack it is a piece of. */
export function isOf(entry: OutboxEntry, token: string): boolean {
  if (!entry.pieces) return entry.token === token
  return token.startsWith(`${entry.token}-`) && /^\d+$/.test(token.slice(entry.token.length + 1))
}

/** As the thread shows it: a row for each piece. */
export function shownEntries(entry: OutboxEntry): OutboxEntry[] {
  if (!entry.pieces) return [entry]
  return entry.pieces.map((piece, n) => ({
    ...entry,
    token: `${entry.token}-${n}`,
    kind: piece.kind,
    text: piece.text,
    content: piece.content,
    attachment: piece.file,
    pieces: undefined,
    stack: { token: entry.token, last: n === (entry.pieces?.length ?? 0) - 1 },
  }))
}

export function requestOf(entry: OutboxEntry): SendRequest {
  const request: SendRequest = { client_token: entry.token, kind: entry.kind }
  if (entry.text) request.text = entry.text
  if (Object.keys(entry.content).length > 0) request.content = entry.content
  if (entry.source) Object.assign(request, entry.source)
  else if (entry.attachment) request.attachment_id = entry.attachment.id
  return { ...request, ...shared(entry) }
}

export function stackOf(entry: OutboxEntry) {
  return { client_token: entry.token, parts: (entry.pieces ?? []).map(requestPart), ...shared(entry) }
}

function shared(entry: OutboxEntry): { quick_reply_id?: number; seen_seq?: number } {
  return {
    ...(entry.quickReplyId ? { quick_reply_id: entry.quickReplyId } : {}),
    ...(typeof entry.seenSeq === 'number' ? { seen_seq: entry.seenSeq } : {}),
  }
}
