/** What a filter can ask and a list can show: fields, their operators, where their choices come from. */

import type { CustomerRow, FieldView, Op } from '@/api/lists'

export type Kind = 'text' | 'pick' | 'people' | 'tags' | 'multi' | 'time' | 'date' | 'amount' | 'number' | 'phone' | 'flag' | 'channel' | 'files' | 'search'

export interface KnownField {
  key: string
  kind: Kind
  /** A key of `lists.field`, or the name that the company gave. */
  title?: string
  custom?: FieldView
}

export const OPS: Record<Kind, readonly Op[]> = {
  text: ['contains', 'not_contains', 'is', 'is_not', 'empty', 'filled'],
  pick: ['in', 'not_in', 'empty', 'filled'],
  people: ['in', 'not_in', 'empty', 'filled'],
  tags: ['any', 'all', 'none', 'empty', 'filled'],
  multi: ['any', 'all', 'none', 'empty', 'filled'],
  time: ['due', 'overdue', 'period', 'last_days', 'not_last_days', 'next_days', 'before', 'after', 'between', 'empty', 'filled'],
  date: ['due', 'overdue', 'period', 'last_days', 'not_last_days', 'next_days', 'before', 'after', 'between', 'empty', 'filled'],
  amount: ['at_least', 'at_most', 'between', 'is', 'empty', 'filled'],
  number: ['at_least', 'at_most', 'between', 'is', 'empty', 'filled'],
  phone: ['is', 'ends', 'empty', 'filled'],
  flag: ['is'],
  channel: ['any', 'none'],
  files: ['empty', 'filled'],
  search: ['contains'],
}
export const PERIODS = ['today', 'yesterday', 'tomorrow', 'this_week', 'last_week', 'next_week', 'this_month', 'last_month', 'next_month', 'this_year'] as const
/** Operators that need no value. */
export const BARE: readonly Op[] = ['empty', 'filled', 'overdue', 'due']

const STANDARD: readonly KnownField[] = [
  { key: 'name', kind: 'text' },
  { key: 'company', kind: 'text' },
  { key: 'owner', kind: 'people' },
  { key: 'team', kind: 'pick' },
  { key: 'stage', kind: 'pick' },
  { key: 'tags', kind: 'tags' },
  { key: 'segment', kind: 'pick' },
  { key: 'next_due_at', kind: 'time' },
  { key: 'last_message_at', kind: 'time' },
  { key: 'last_inbound_at', kind: 'time' },
  { key: 'followed_at', kind: 'time' },
  { key: 'created_at', kind: 'time' },
  { key: 'value', kind: 'amount' },
  { key: 'source', kind: 'text' },
  { key: 'channel', kind: 'channel' },
  { key: 'account', kind: 'channel' },
  { key: 'city', kind: 'text' },
  { key: 'position', kind: 'text' },
  { key: 'gender', kind: 'pick' },
  { key: 'phone', kind: 'phone' },
  { key: 'email', kind: 'text' },
  { key: 'address', kind: 'text' },
  { key: 'remark', kind: 'text' },
  { key: 'shared', kind: 'flag' },
  { key: 'pool', kind: 'flag' },
  { key: 'pooled_at', kind: 'time' },
  { key: 'reclaim_at', kind: 'time' },
  { key: 'owned_at', kind: 'time' },
  { key: 'stage_at', kind: 'time' },
  { key: 'created_by', kind: 'people' },
  { key: 'updated_at', kind: 'time' },
]
const OF_CUSTOM: Record<FieldView['kind'], Kind> = {
  text: 'text', number: 'number', money: 'amount', date: 'date', choice: 'pick', multi: 'multi', phone: 'phone', file: 'files',
}

export function knownFields(custom: readonly FieldView[]): KnownField[] {
  const own = custom.filter((one) => !one.archived).map((one) => ({ key: `fields.${one.key}`, kind: OF_CUSTOM[one.kind], title: one.name, custom: one }))
  return [...STANDARD, ...own]
}

export interface Column {
  key: string
  width: number
  /** What the service sorts by; absent: it does not. */
  sort?: string
  custom?: FieldView
  end?: boolean
}

const COLUMNS: readonly Column[] = [
  { key: 'name', width: 170, sort: 'name' },
  { key: 'stage', width: 92, sort: 'stage' },
  { key: 'tags', width: 150 },
  { key: 'next_due_at', width: 180, sort: 'next_due_at' },
  { key: 'last_words', width: 210, sort: 'last_message_at' },
  { key: 'value', width: 104, sort: 'value', end: true },
  { key: 'channels', width: 110 },
  { key: 'owner', width: 80, sort: 'owner' },
  { key: 'company', width: 150, sort: 'company' },
  { key: 'phone', width: 132 },
  { key: 'city', width: 90, sort: 'city' },
  { key: 'position', width: 110, sort: 'position' },
  { key: 'source', width: 110, sort: 'source' },
  { key: 'gender', width: 70, sort: 'gender' },
  { key: 'email', width: 170, sort: 'email' },
  { key: 'address', width: 180, sort: 'address' },
  { key: 'remark', width: 180 },
  { key: 'created_at', width: 104, sort: 'created_at' },
  { key: 'last_message_at', width: 104, sort: 'last_message_at' },
  { key: 'last_inbound_at', width: 104, sort: 'last_inbound_at' },
  { key: 'followed_at', width: 104, sort: 'followed_at' },
  { key: 'reclaim_at', width: 104, sort: 'reclaim_at' },
  { key: 'updated_at', width: 104, sort: 'updated_at' },
]
export const USUAL = ['name', 'stage', 'tags', 'next_due_at', 'last_words', 'value', 'channels', 'owner'] as const

export function knownColumns(custom: readonly FieldView[]): Column[] {
  const own = custom
    .filter((one) => !one.archived)
    .map((one) => ({
      key: `fields.${one.key}`,
      width: 130,
      custom: one,
      end: one.kind === 'number' || one.kind === 'money',
      sort: one.kind === 'multi' || one.kind === 'file' ? undefined : `fields.${one.key}`,
    }))
  return [...COLUMNS, ...own]
}

export const TIMES: readonly (keyof CustomerRow)[] = ['created_at', 'last_message_at', 'last_inbound_at', 'followed_at', 'reclaim_at', 'updated_at']
