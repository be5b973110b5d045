import type { AttachmentView } from '@/api/types'
import type { Row } from '@/model/timeline'

/** What a body shows, whether it is a message or still on its way. */
export interface Parts {
  kind: string
  text: string
  content: Record<string, unknown>
  files: AttachmentView[]
  /** Absent while it is on its way. */
  messageId?: number
}

export function partsOf(row: Exclude<Row, { type: 'event' }>): Parts {
  if (row.type === 'pending') {
    const { kind, text, content, attachment } = row.entry
    return { kind, text, content, files: attachment ? [attachment] : [] }
  }
  const { id, kind, text, content, attachments } = row.message
  return { kind, text, content, files: attachments, messageId: id }
}
