import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { api } from '@/api'
import type { AttachmentView, Kind, MessageView } from '@/api/types'
import { Sender } from '@/live/sender'
import { newToken } from '@/model/token'
import { compose } from '@/api/compose'
import { together } from '@/api/together'
import { OutboxStorage, requestOf, stackOf, type OutboxEntry } from '@/model/outbox'
import type { Piece } from '@/model/pieces'
import { useInbox } from './inbox'
import { useThreads } from './threads'

export interface NewMessage {
  conversationId: number
  kind: Kind
  text: string
  attachment?: AttachmentView | null
  source?: Piece['source']
  content?: Record<string, unknown>
  pieces?: Piece[]
  note?: { mentionIds: number[] }
  quickReplyId?: number | null
  seenSeq?: number | null
  then?: 'close'
}

/** Calls the service with an entry. The same token however often: it is one answer. */
async function deliver(entry: OutboxEntry): Promise<readonly MessageView[]> {
  if (entry.note) {
    return [await together.addNote(entry.conversationId, { client_token: entry.token, text: entry.text, mention_ids: entry.note.mentionIds })]
  }
  if (entry.pieces) return (await compose.sendStack(entry.conversationId, stackOf(entry))).messages
  return [await api.send(entry.conversationId, requestOf(entry))]
}

/** What was sent here and is not yet acknowledged. */
export const useOutbox = defineStore('outbox', () => {
  const threads = useThreads()
  const entries = shallowRef<readonly OutboxEntry[]>([])
  let sender: Sender | null = null

  function start(agentId: number): void {
    stop()
    const started = new Sender({
      storage: new OutboxStorage(localStorage, agentId),
      send: deliver,
      onSent: (messages, entry) => {
        for (const message of messages) threads.takeAnswer(message)
        // What fails here is told by the list: the conversation simply stays open.
        if (entry.then === 'close') void useInbox().close(entry.conversationId).catch(() => undefined)
      },
      onChange: () => {
        entries.value = [...started.list()]
      },
    })
    sender = started
    entries.value = [...started.list()]
  }

  function stop(): void {
    sender?.stop()
    sender = null
    entries.value = []
  }

  function send(message: NewMessage): void {
    sender?.add({
      token: newToken(),
      conversationId: message.conversationId,
      kind: message.kind,
      text: message.text,
      content: message.content ?? {},
      attachment: message.attachment ?? null,
      source: message.source ?? null,
      pieces: message.pieces,
      note: message.note,
      quickReplyId: message.quickReplyId ?? null,
      seenSeq: message.seenSeq ?? null,
      then: message.then,
      createdAt: new Date().toISOString(),
      state: 'waiting',
      attempts: 0,
      refusal: null,
    })
  }

  function acknowledge(messages: readonly MessageView[]): void {
    for (const message of messages) if (message.client_token) sender?.acknowledge(message.client_token)
  }

  function kick(): void {
    sender?.kick()
  }

  function discard(token: string): OutboxEntry | null {
    return sender?.discard(token) ?? null
  }

  /** Sends what a colleague's answer had stopped. */
  function sendAnyway(token: string): void {
    sender?.again(token, { seenSeq: null })
  }

  return { entries, sendAnyway, start, stop, send, acknowledge, kick, discard }
})
