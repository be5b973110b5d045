import { i18n } from '@/i18n'
import type { Content, ContentInput, GreetingPart, PartInput, Welcome, WelcomeInput } from '@/api/codes'

/** One attachment while it is written: where its file comes from, and what is shown of it. */
export interface DraftPart {
  key: number
  kind: PartInput['kind']
  content: Record<string, string>
  attachment_id?: number
  material_id?: number
  keep?: number
  name: string
  url: string
  mime: string
}

/** Words and attachments while they are written. */
export interface DraftContent {
  text: string
  parts: DraftPart[]
  unnamed: string
}

/** A greeting while it is written; `off` null: the same at every hour. */
export interface DraftWelcome {
  content: DraftContent
  off: DraftContent | null
  hours: { days: number[]; start: string; end: string }
}

let last = 0
export const nextKey = (): number => ++last

export const emptyContent = (): DraftContent => ({ text: '', parts: [], unnamed: i18n.global.t('codes.you') })
export const emptyWelcome = (): DraftWelcome => ({
  content: emptyContent(),
  off: null,
  hours: { days: [1, 2, 3, 4, 5], start: '09:00', end: '18:00' },
})

const texts = (content: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(content).map(([name, value]) => [name, String(value)]))

function fromPart(part: GreetingPart, number: number): DraftPart {
  return {
    key: nextKey(),
    kind: part.kind,
    content: texts(part.content),
    ...(part.file ? { keep: number } : {}),
    name: part.file?.name ?? '',
    url: part.file?.url ?? '',
    mime: part.file?.mime ?? '',
  }
}

export function fromContent(content: Content): DraftContent {
  return { text: content.text, parts: content.parts.map(fromPart), unnamed: content.unnamed }
}

export function fromWelcome(welcome: Welcome): DraftWelcome {
  return {
    content: fromContent(welcome.content),
    off: welcome.off ? fromContent(welcome.off) : null,
    hours: welcome.hours ? { ...welcome.hours } : emptyWelcome().hours,
  }
}

export function toContent(draft: DraftContent): ContentInput {
  return {
    text: draft.text,
    unnamed: draft.unnamed.trim() || i18n.global.t('codes.you'),
    parts: draft.parts.map(({ kind, content, attachment_id, material_id, keep }) => ({
      kind,
      content: kind === 'link' || kind === 'miniprogram' ? content : {},
      attachment_id: attachment_id ?? null,
      material_id: material_id ?? null,
      keep: keep ?? null,
    })),
  }
}

export function toWelcome(draft: DraftWelcome): Pick<WelcomeInput, 'content' | 'off' | 'hours'> {
  return {
    content: toContent(draft.content),
    off: draft.off ? toContent(draft.off) : null,
    hours: draft.off ? draft.hours : null,
  }
}
