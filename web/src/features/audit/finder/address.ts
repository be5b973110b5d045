/** What is looked for, as it stands in the address: whoever gets the link sees the same. */

import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { Question } from '@/api/finder'
import { fromWall, toWall } from '@/model/zone'

export type Sort = 'time' | 'relevance'

export interface Wanted {
  q: string
  agent: number | null
  account: number | null
  customer: number | null
  /** Only in this conversation. */
  within: number | null
  rule: number | null
  channel: string
  kind: string
  direction: string
  state: string
  /** Days of the company's calendar, both included. */
  since: string
  until: string
  sort: Sort
  group: boolean
}

/** A place in a chat. */
export interface Spot {
  conversation: number
  seq: number | null
}

const NUMBERS = ['agent', 'account', 'customer', 'within', 'rule'] as const
const WORDS = ['channel', 'kind', 'direction', 'state'] as const
const DAYS = ['since', 'until'] as const
/** What narrows a search, each with a chip of its own. */
export const FILTERS = [...NUMBERS, ...WORDS, ...DAYS] as const
export type Filter = (typeof FILTERS)[number]

const DIRECTIONS = ['in', 'out'] as const
const STATES = ['recalled', 'deleted_friend', 'left_group'] as const
const among = <T extends string>(allowed: readonly T[], value: string): T | undefined => allowed.find((one) => one === value)
const one = (value: LocationQuery[string] | undefined): string => (Array.isArray(value) ? (value[0] ?? '') : (value ?? ''))
function number(value: LocationQuery[string] | undefined): number | null {
  const read = Number(one(value))
  return Number.isSafeInteger(read) && read > 0 ? read : null
}
const day = (value: LocationQuery[string] | undefined): string => (/^\d{4}-\d\d-\d\d$/.test(one(value)) ? one(value) : '')

export function wantedOf(query: LocationQuery): Wanted {
  return {
    q: one(query.q).trim().slice(0, 300),
    agent: number(query.agent),
    account: number(query.account),
    customer: number(query.customer),
    within: number(query.within),
    rule: number(query.rule),
    channel: /^[a-z0-9_]{1,40}$/.test(one(query.channel)) ? one(query.channel) : '',
    kind: /^[a-z0-9_]{1,40}(:\w{1,60})?$/.test(one(query.kind)) ? one(query.kind) : '',
    direction: among(DIRECTIONS, one(query.direction)) ?? '',
    state: among(STATES, one(query.state)) ?? '',
    since: day(query.since),
    until: day(query.until),
    sort: one(query.sort) === 'relevance' ? 'relevance' : 'time',
    group: one(query.group) === '1',
  }
}

export function spotOf(query: LocationQuery): Spot | null {
  const conversation = number(query.conversation)
  return conversation === null ? null : { conversation, seq: number(query.seq) }
}

export function addressOf(wanted: Wanted, spot: Spot | null): LocationQueryRaw {
  const query: LocationQueryRaw = {}
  if (wanted.q) query.q = wanted.q
  for (const name of FILTERS) if (wanted[name]) query[name] = String(wanted[name])
  if (wanted.sort !== 'time') query.sort = wanted.sort
  if (wanted.group) query.group = '1'
  if (spot) {
    query.conversation = String(spot.conversation)
    if (spot.seq !== null) query.seq = String(spot.seq)
  }
  return query
}

/** Nothing to look for: neither words nor a filter. */
export const isNothing = (wanted: Wanted): boolean => wanted.q === '' && FILTERS.every((name) => !wanted[name])

/** The day after, for a time that ends with a day. */
function dayAfter(date: string): string {
  const next = new Date(`${date}T00:00:00Z`)
  next.setUTCDate(next.getUTCDate() + 1)
  return next.toISOString().slice(0, 10)
}

/** As the service is asked. */
export function questionOf(wanted: Wanted, zone: string): Question {
  const at = (date: string): string => new Date(fromWall(`${date}T00:00`, zone)).toISOString()
  return {
    q: wanted.q || undefined,
    agent_id: wanted.agent ?? undefined,
    account_id: wanted.account ?? undefined,
    customer_id: wanted.customer ?? undefined,
    conversation_id: wanted.within ?? undefined,
    rule_id: wanted.rule ?? undefined,
    channel: wanted.channel || undefined,
    kind: wanted.kind || undefined,
    direction: among(DIRECTIONS, wanted.direction),
    state: among(STATES, wanted.state),
    since: wanted.since ? at(wanted.since) : undefined,
    until: wanted.until ? at(dayAfter(wanted.until)) : undefined,
  }
}

/** What was kept as the service was asked, as it stands in the address. */
export function wantedFrom(question: Partial<Record<keyof Question, unknown>>, zone: string): Wanted {
  const dayOf = (value: unknown, before = 0): string => (typeof value === 'string' ? toWall(Date.parse(value) - before, zone).slice(0, 10) : '')
  const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')
  return wantedOf({
    q: text(question.q),
    agent: text(question.agent_id),
    account: text(question.account_id),
    customer: text(question.customer_id),
    within: text(question.conversation_id),
    rule: text(question.rule_id),
    channel: text(question.channel),
    kind: text(question.kind),
    direction: text(question.direction),
    state: text(question.state),
    since: dayOf(question.since),
    until: dayOf(question.until, 1),
  })
}

/** First and last day of a month written as 2026-11. */
export function daysOf(month: string): { since: string; until: string } {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const last = new Date(Date.UTC(year, number, 0)).getUTCDate()
  return { since: `${month}-01`, until: `${month}-${String(last).padStart(2, '0')}` }
}
