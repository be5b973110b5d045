import type { PartView, QuickReply, QuickReplyInput } from '@/api/compose'
import type { Kind } from '@/api/types'

/** A piece while it is edited. */
export interface EditedPart {
  key: number
  kind: Kind
  text: string
  content: Record<string, string>
  /** The file as it is shown: of the reply as it is kept, or just uploaded. */
  name: string
  picture: string
  size: number
  /** Its place in the reply as it is kept: the file stays. */
  keep: number | null
  attachmentId: number | null
  progress: number | null
  trouble: unknown
}

let last = 0

export function emptyPart(kind: Kind): EditedPart {
  last += 1
  return { key: last, kind, text: '', content: {}, name: '', picture: '', size: 0, keep: null, attachmentId: null, progress: null, trouble: null }
}

export function editedPart(part: PartView, place: number): EditedPart {
  const content = Object.fromEntries(Object.entries(part.content).map(([name, value]) => [name, String(value)]))
  const shown = part.file?.mime.startsWith('image/') ? part.file.url : ''
  return { ...emptyPart(part.kind as Kind), text: part.text, content, name: part.file?.name ?? '', picture: shown, size: part.file?.size ?? 0, keep: part.file ? place : null }
}

export const editedParts = (reply: QuickReply | null): EditedPart[] => (reply ? reply.parts.map(editedPart) : [emptyPart('text')])

export const isMedia = (kind: string): boolean => ['image', 'video', 'voice', 'file'].includes(kind)

/** Nothing is missing that has to be there. */
export function isWhole(part: EditedPart): boolean {
  if (part.progress !== null || part.trouble) return false
  if (part.kind === 'text') return part.text.trim() !== ''
  if (isMedia(part.kind)) return part.keep !== null || part.attachmentId !== null
  const needed = part.kind === 'link' ? ['title', 'url'] : ['title', 'app_id', 'path']
  return needed.every((name) => (part.content[name] ?? '').trim() !== '')
}

export function inputPart(part: EditedPart): QuickReplyInput['parts'][number] {
  return {
    kind: part.kind,
    text: part.kind === 'text' ? part.text.trim() : '',
    content: isMedia(part.kind) || part.kind === 'text' ? {} : part.content,
    attachment_id: part.attachmentId,
    keep: part.attachmentId === null ? part.keep : null,
  }
}
