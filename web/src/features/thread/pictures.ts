import type { MessageView } from '@/api/types'
import { str } from '@/ui/text'

export interface Picture {
  /** The attachment's id, or the message's id with a minus where the picture lies elsewhere. */
  id: number
  url: string
  name: string
  at: string
}

/** All pictures of a thread in order, for leafing through them. */
export function pictures(messages: readonly MessageView[]): Picture[] {
  const found: Picture[] = []
  for (const message of messages) {
    if (message.kind === 'image' || message.kind === 'sticker' || message.kind === 'text') {
      for (const file of message.attachments) {
        if (file.state === 'stored' && (message.kind !== 'text' || file.kind === 'image')) found.push({ id: file.id, url: file.url, name: file.name || str(message.text), at: message.sent_at })
      }
    }
  }
  return found
}
