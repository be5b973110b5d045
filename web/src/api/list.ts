/** Calls of the conversation list: pages, acts on many, saved lists, search. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type ListFilter = Schemas['ListFilter']
export type View = NonNullable<ListFilter['view']>
export type Sort = NonNullable<ListFilter['sort']>
export type SavedView = Schemas['SavedViewView']
export type BulkInput = Schemas['BulkInput']
export type BulkDone = Schemas['BulkDone']
export type MessageHit = Schemas['MessageHit']
export type PersonHit = Schemas['PersonHit']
export type Part = Schemas['Part']

/** Which conversations, in which order. Absent: not asked for. */
export interface ListQuery {
  view: View
  account_id?: number
  accounts?: number[]
  channel?: string
  labels?: number[]
  assignee?: number
  unread?: boolean
  waiting?: boolean
  closing_hours?: number
  breached?: boolean
  sort?: Sort
}

export interface SearchFilter {
  account_id?: number
  direction?: 'in' | 'out' | 'note'
  agent_id?: number
  since?: string
  until?: string
}

/** As the service takes it: several ids are one text. */
export function filterOf({ accounts, labels, ...rest }: ListQuery): ListFilter {
  return { ...rest, accounts: accounts?.join(','), labels: labels?.join(',') } as ListFilter
}

export const listApi = {
  page: (query: ListQuery, at: { cursor?: string; back?: boolean; limit: number }) =>
    answerOf(routes.GET('/api/conversations', { params: { query: { ...filterOf(query), ...at } as never } })),
  bulk: (body: BulkInput) => answerOf(routes.POST('/api/conversations/bulk', { body })),
  views: () => answerOf(routes.GET('/api/views')),
  addView: (name: string, team_id: number | null, query: ListQuery) =>
    answerOf(routes.POST('/api/views', { body: { name, team_id, filter: filterOf(query) } })),
  changeView: (view_id: number, body: Schemas['SavedViewInput']) =>
    answerOf(routes.PATCH('/api/views/{view_id}', { params: { path: { view_id } }, body })),
  deleteView: (view_id: number) => answerOf(routes.DELETE('/api/views/{view_id}', { params: { path: { view_id } } })),
  searchMessages: (q: string, filter: SearchFilter, cursor: number | null, limit = 20, signal?: AbortSignal) =>
    answerOf(routes.GET('/api/search/messages', { params: { query: { q, ...filter, cursor: cursor ?? undefined, limit } }, signal })),
  searchPeople: (q: string, limit = 8, signal?: AbortSignal) =>
    answerOf(routes.GET('/api/search/people', { params: { query: { q, limit } }, signal })),
}
