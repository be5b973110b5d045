import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { api } from '@/api'
import type { AttachmentView, Kind, MessageView } from '@/api/types'
import { Sender } from '@/live/sender'
import { newToken } from '@/model/token'
import { OutboxStorage, requestOf, type OutboxEntry } from '@/model/outbox'
import { useThreads } from './threads'

export interface NewMessage {
  conversationId: number
  kind: Kind
  text: string
  attachment?: AttachmentView
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
      send: (entry) => api.send(entry.conversationId, requestOf(entry)),
      onSent: (message) => threads.takeAnswer(message),
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
      content: {},
      attachment: message.attachment ?? null,
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

  return { entries, start, stop, send, acknowledge, kick, discard }
})
