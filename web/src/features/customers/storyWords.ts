import { ArrowLeftRight, CalendarCheck, CircleDot, FileText, GitMerge, Hand, MessageSquare, NotebookPen, Radio, Route, ScanLine, Split, Tag, UserRound, UserRoundPen } from 'lucide-vue-next'
import type { Component } from 'vue'
import type { StoryEntry } from '@/api/whole'
import type { usePeople } from '@/stores/people'
import type { useWords } from '@/ui/words'

/** How an entry looks: its icon and the colour of its disc. */
export interface Look {
  icon: Component
  tone: 'green' | 'accent' | 'violet' | 'amber' | 'plain'
}

const LOOKS: Readonly<Record<string, Look>> = {
  messages: { icon: MessageSquare, tone: 'green' },
  follow_up: { icon: NotebookPen, tone: 'accent' },
  task: { icon: CalendarCheck, tone: 'amber' },
  stage: { icon: CircleDot, tone: 'violet' },
  tag: { icon: Tag, tone: 'plain' },
  owner: { icon: ArrowLeftRight, tone: 'plain' },
  profile: { icon: UserRoundPen, tone: 'plain' },
  file: { icon: FileText, tone: 'plain' },
  code: { icon: ScanLine, tone: 'accent' },
  greeting: { icon: Hand, tone: 'green' },
  sop: { icon: Route, tone: 'accent' },
  customer: { icon: UserRound, tone: 'plain' },
  'customer.merged': { icon: GitMerge, tone: 'violet' },
  'customer.joined': { icon: GitMerge, tone: 'violet' },
  'customer.unmerged': { icon: GitMerge, tone: 'plain' },
  'customer.split': { icon: Split, tone: 'violet' },
}
const PLATFORM: Look = { icon: Radio, tone: 'plain' }

export function lookOf(kind: string): Look {
  return LOOKS[kind] ?? LOOKS[kind.split('.')[0] ?? ''] ?? PLATFORM
}

type Words = Pick<ReturnType<typeof useWords>, 't' | 'say' | 'language'>
type People = Pick<ReturnType<typeof usePeople>, 'nameOf'>

/** Names in what a line says: texts, or things with a name. */
function names(value: unknown): string[] {
  const all = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]
  return all.map((one) => (typeof one === 'object' && one !== null ? String((one as { name?: unknown }).name ?? '') : String(one))).filter(Boolean)
}

const known = (t: Words['t'], te: (key: string) => boolean, key: string, values: Record<string, unknown>): string =>
  te(key) ? t(key, values) : ''

/** The title of an entry. Kinds without words of the page's own are told in the service's. */
export function titleOf(entry: StoryEntry, words: Words, te: (key: string) => boolean, people: People): string {
  const { t, say } = words
  const data = entry.data as Record<string, unknown>
  const comma = t('whole.field.list')
  const person = (id: unknown): string => (typeof id === 'number' ? people.nameOf(id) || `#${id}` : t('whole.story.nobody'))
  const values: Record<string, unknown> = {}
  switch (entry.kind) {
    case 'stage.changed':
      values.from = names(data.from)[0] ?? t('whole.story.noStage')
      values.to = names(data.to)[0] ?? t('whole.story.noStage')
      break
    case 'owner.changed':
      values.from = person(data.from)
      values.to = person(data.to)
      break
    case 'tag.added':
    case 'tag.removed':
      values.names = names(data.tags ?? data.names ?? data.tag).map((name) => `“${name}”`).join(comma)
      break
    case 'code.scanned':
    case 'greeting.sent':
      values.code = data.code ?? ''
      values.seconds = data.seconds ?? ''
      break
    case 'customer.merged':
    case 'customer.joined':
      values.names = names(data.customers).map((name) => `“${name}”`).join(comma) || t('whole.unnamed')
      break
    case 'sop.began':
    case 'sop.step':
    case 'sop.stopped':
    case 'sop.done':
      values.name = names(data.sop)[0] ?? ''
      values.title = String(data.title ?? '')
      values.n = data.n ?? ''
      values.of = data.of ?? ''
      break
    case 'campaign.held':
      if (data.word) return t('whole.story.kind.campaign.word', { word: String(data.word) })
      return known(t, te, `whole.story.kind.campaign.${String(data.hold)}`, {}) || t('whole.story.kind.campaign.held')
    case 'campaign.sent':
    case 'moment.liked':
    case 'moment.commented':
    case 'file.added':
    case 'file.deleted':
    case 'file.restored':
      values.name = String(data.name ?? '')
      break
    case 'profile.changed':
      values.fields = names(data.fields).map((name) => known(t, te, `whole.field.${name}`, {}) || t('whole.field.fields')).filter((name, at, all) => all.indexOf(name) === at).join(comma)
      break
  }
  return known(t, te, `whole.story.kind.${entry.kind}`, values) || say(entry.text) || entry.kind
}

/** A reason that somebody gave, and the way in which it happened. */
export function whyOf(entry: StoryEntry, words: Words, te: (key: string) => boolean): string {
  const data = entry.data as Record<string, unknown>
  const how = typeof data.how === 'string' ? known(words.t, te, `whole.story.how.${data.how}`, {}) : ''
  const reason = typeof data.reason === 'string' ? data.reason : words.say(data.reason as { zh: string; en: string } | undefined)
  const because = entry.kind === 'customer.joined' ? known(words.t, te, `whole.identity.because.${String(data.because)}`, {}) : ''
  return [because, how, reason && words.t('whole.story.reason', { reason })].filter(Boolean).join(' · ')
}
