import type { AuditRule, NewRule, RuleData, RuleKind, Severity, Word } from '@/api/rules'
import { CLOSERS } from './closers'

export const KINDS: readonly RuleKind[] = ['words', 'phone', 'payee', 'card', 'red_packet', 'customer_deleted', 'mass_recall', 'slow_reply', 'no_reply', 'off_hours']
/** Whose messages a kind is about, where that is a question. */
export const ASKS_WHO: readonly RuleKind[] = ['words', 'phone', 'payee', 'card', 'red_packet', 'customer_deleted']
export const HAS_INTERCEPT: readonly RuleKind[] = ['words']

/** A rule as it is written on the page: lists as lines, amounts in yuan, times as clock times. */
export interface Draft {
  kind: RuleKind
  name: string
  severity: Severity
  enabled: boolean
  who: 'employees' | 'customers' | 'both'
  channels: string[]
  teams: number[]
  accounts: number[]
  words: string
  exceptions: string
  intercept: 'off' | 'warn' | 'block'
  yuan: number
  minutes: number
  working: boolean
  enough: string
  times: number
  use: 'hours' | 'times'
  start: string
  end: string
}

export function emptyDraft(kind: RuleKind = 'words'): Draft {
  return {
    kind, name: '', severity: 'medium', enabled: true, who: 'employees', channels: [], teams: [], accounts: [], words: '', exceptions: '', intercept: 'off',
    yuan: 0, minutes: kind === 'no_reply' ? 120 : kind === 'mass_recall' ? 10 : 30, working: true,
    enough: CLOSERS, times: 5, use: 'hours', start: '22:00', end: '08:00',
  }
}

export const linesOf = (text: string): string[] => [...new Set(text.split('\n').map((line) => line.trim()).filter(Boolean))]

export function wordOf(line: string): Word {
  if (/^\/.+\/$/u.test(line)) return { text: line.slice(1, -1), how: 'regex' }
  return { text: line, how: /[*?]/.test(line) ? 'wildcard' : 'plain' }
}

export const lineOf = (word: Word): string => (word.how === 'regex' ? `/${word.text}/` : word.text)

const minuteOf = (clock: string): number => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}
const clockOf = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

export function dataOf(draft: Draft): RuleData {
  const place = { channels: draft.channels, team_ids: draft.teams, account_ids: draft.accounts }
  const { kind, who, intercept } = draft
  const exceptions = linesOf(draft.exceptions)
  switch (kind) {
    case 'words':
      return { ...place, kind, who, words: linesOf(draft.words).map(wordOf), exceptions, intercept }
    case 'phone':
      return { ...place, kind, who, exceptions }
    case 'payee':
      return { ...place, kind, who, exceptions }
    case 'red_packet':
      return { ...place, kind, who, fen: Math.round(draft.yuan * 100) }
    case 'card':
    case 'customer_deleted':
      return { ...place, kind, who }
    case 'off_hours':
      return { ...place, kind, who: 'employees', use: draft.use, start: minuteOf(draft.start), end: minuteOf(draft.end) }
    case 'slow_reply':
    case 'no_reply':
      return { ...place, kind, who: 'customers', minutes: draft.minutes, working_hours: draft.working, enough_said: linesOf(draft.enough) }
    case 'mass_recall':
      return { ...place, kind, who: 'employees', times: draft.times, minutes: draft.minutes }
  }
}

export const newRule = (draft: Draft): NewRule => ({ name: draft.name.trim(), severity: draft.severity, enabled: draft.enabled, data: dataOf(draft) })

export function draftOf(rule: AuditRule): Draft {
  const data = rule.data
  const draft = { ...emptyDraft(rule.kind), name: rule.name, severity: rule.severity, enabled: rule.enabled }
  if (!data) return draft
  draft.who = data.who ?? 'employees'
  draft.channels = data.channels ?? []
  draft.teams = data.team_ids ?? []
  draft.accounts = data.account_ids ?? []
  if ('words' in data) draft.words = data.words.map(lineOf).join('\n')
  if ('exceptions' in data) draft.exceptions = (data.exceptions ?? []).join('\n')
  if ('intercept' in data) draft.intercept = data.intercept ?? 'off'
  if ('fen' in data) draft.yuan = (data.fen ?? 0) / 100
  if ('minutes' in data) draft.minutes = data.minutes ?? draft.minutes
  if ('working_hours' in data) draft.working = data.working_hours ?? true
  if ('enough_said' in data) draft.enough = (data.enough_said ?? []).join('\n')
  if ('times' in data) draft.times = data.times ?? 5
  if ('use' in data) {
    draft.use = data.use ?? 'hours'
    draft.start = clockOf(data.start ?? 0)
    draft.end = clockOf(data.end ?? 0)
  }
  return draft
}
