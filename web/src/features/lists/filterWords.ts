/** A condition as people read it. */

import type { Condition, Group } from '@/api/lists'
import { isGroup } from '@/api/lists'
import type { KnownField } from './known'
import type { Option } from './useChoices'
import { listed } from '@/ui/text'

export interface Speaker {
  t: (key: string, values?: Record<string, unknown>) => string
  byKey: ReadonlyMap<string, KnownField>
  titleOf: (field: KnownField) => string
  optionsOf: (field: KnownField) => Option[]
}

const SHOWN = 3

export function inWords(part: Condition | Group, speaker: Speaker): string {
  const { t } = speaker
  if (isGroup(part)) {
    const inner = part.parts.map((one) => inWords(one, speaker))
    const joined = inner.join(t(part.match === 'all' ? 'lists.and' : 'lists.or'))
    return part.match === 'none' ? t('lists.noneOf', { what: joined }) : part.parts.length > 1 ? `(${joined})` : joined
  }
  const field = speaker.byKey.get(part.field)
  if (!field) return part.field === 'search' ? t('lists.searchFor', { text: String(part.value ?? '') }) : t('lists.goneField')
  const what = speaker.titleOf(field)
  if (field.kind === 'flag') return part.value === false ? t('lists.notFlag', { what }) : what
  if (part.op === 'empty' || part.op === 'filled' || part.op === 'overdue' || part.op === 'due') return `${what} ${t(`lists.op.${part.op}`)}`
  return `${what} ${t(`lists.op.${part.op}`)} ${valueInWords(part, field, speaker)}`
}

function valueInWords(part: Condition, field: KnownField, { t, optionsOf }: Speaker): string {
  const { value, op } = part
  if (op === 'period') return t(`lists.period.${String(value)}`)
  if (op === 'last_days' || op === 'not_last_days' || op === 'next_days') return t('lists.days', { n: Number(value) })
  const money = (one: unknown): string => (field.kind === 'amount' ? `¥${Number(one) / 100}` : String(one))
  if (op === 'between' && Array.isArray(value)) return value.map(money).join(' – ')
  if (Array.isArray(value)) {
    const options = new Map(optionsOf(field).map((one) => [one.value, one.title]))
    const names = value.map((one) => options.get(one) ?? String(one))
    return names.length > SHOWN ? t('lists.andMore', { some: listed(names.slice(0, SHOWN)), n: names.length }) : listed(names)
  }
  return money(value)
}

/** The first value for an operator, so that nothing is half written. */
export function emptyValue(kind: KnownField['kind'], op: Condition['op']): Condition['value'] {
  if (op === 'period') return 'today'
  if (op === 'last_days' || op === 'not_last_days' || op === 'next_days') return 7
  if (kind === 'flag') return true
  if (['in', 'not_in', 'any', 'all', 'none'].includes(op)) return []
  if (op === 'between') return kind === 'time' || kind === 'date' ? ['', ''] : [0, 0]
  if (kind === 'amount' || kind === 'number') return 0
  if (['empty', 'filled', 'overdue', 'due'].includes(op)) return null
  return ''
}

/** Complete enough to be asked. */
export function isWhole(part: Condition | Group): boolean {
  if (isGroup(part)) return part.parts.every(isWhole)
  if (['empty', 'filled', 'overdue', 'due'].includes(part.op)) return true
  if (Array.isArray(part.value)) return part.value.length > 0 && part.value.every((one) => one !== '')
  return part.value !== '' && part.value !== null && part.value !== undefined
}
