/** The list in sight is in the address, so that Back, reload and a sent link lead to the same place. */

import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { ListFilter, ListQuery, Sort, View } from '@/api/list'

export const VIEWS: readonly View[] = ['mine', 'unassigned', 'team', 'all', 'helping', 'mentions', 'snoozed', 'closed']
export const SORTS: readonly Sort[] = ['newest', 'waiting', 'window', 'sla']

function ids(text: unknown): number[] | undefined {
  if (typeof text !== 'string') return undefined
  const found = text.split(',').map(Number).filter((one) => Number.isInteger(one) && one > 0)
  return found.length > 0 ? found : undefined
}

/** The names of these parameters are those of the page, and stay: people keep links. */
export function queryOf(address: LocationQuery, fallback: View): ListQuery {
  const accounts = ids(address.accounts)
  const account = ids(address.account)?.[0]
  const closing = Number(address.closing)
  return {
    view: VIEWS.find((name) => name === address.view) ?? fallback,
    account_id: accounts ? undefined : account,
    accounts,
    channel: typeof address.channel === 'string' && address.channel ? address.channel.slice(0, 40) : undefined,
    labels: ids(address.labels),
    assignee: ids(address.assignee)?.[0],
    unread: address.unread === '1' || undefined,
    waiting: address.waiting === '1' || undefined,
    closing_hours: Number.isInteger(closing) && closing > 0 && closing <= 240 ? closing : undefined,
    breached: address.late === '1' || undefined,
    sort: SORTS.find((name) => name === address.sort),
  }
}

export function addressOf(query: ListQuery): LocationQueryRaw {
  const found: LocationQueryRaw = { view: query.view }
  if (query.account_id !== undefined) found.account = String(query.account_id)
  if (query.accounts) found.accounts = query.accounts.join(',')
  if (query.channel) found.channel = query.channel
  if (query.labels) found.labels = query.labels.join(',')
  if (query.assignee !== undefined) found.assignee = String(query.assignee)
  if (query.unread) found.unread = '1'
  if (query.waiting) found.waiting = '1'
  if (query.closing_hours !== undefined) found.closing = String(query.closing_hours)
  if (query.breached) found.late = '1'
  if (query.sort) found.sort = query.sort
  return found
}

/** A kept filter as a query. */
export function fromFilter(filter: ListFilter): ListQuery {
  return {
    view: filter.view ?? 'all',
    account_id: filter.account_id ?? undefined,
    accounts: ids(filter.accounts ?? undefined),
    channel: filter.channel ?? undefined,
    labels: ids(filter.labels ?? undefined),
    assignee: filter.assignee ?? undefined,
    unread: filter.unread || undefined,
    waiting: filter.waiting || undefined,
    closing_hours: filter.closing_hours ?? undefined,
    breached: filter.breached || undefined,
    sort: filter.sort ?? undefined,
  }
}

export function sameList(one: ListQuery, other: ListQuery): boolean {
  return JSON.stringify(Object.entries(addressOf(one)).sort()) === JSON.stringify(Object.entries(addressOf(other)).sort())
}

/** Whether anything besides the view, the account rail and the order narrows the list. */
export function isNarrowed(query: ListQuery): boolean {
  return Boolean(query.accounts || query.channel || query.labels || query.assignee || query.unread || query.waiting || query.closing_hours || query.breached)
}
