/** Calls about whom campaigns reach: lists of people, what keeps campaigns from somebody, posts that are kept. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type PeopleList = Schemas['ListRow']
export type PeopleListDetail = Schemas['ListDetail']
export type NewPeopleList = Schemas['NewList']

export type Hold = Schemas['HoldView']

const customer = (customer_id: number) => ({ path: { customer_id } })
const list = (list_id: number) => ({ params: { path: { list_id } } })

export const reachApi = {
  holds: async (id: number) => (await answerOf(routes.GET('/api/customers/{customer_id}/holds', { params: customer(id) }))).holds,
  hold: async (id: number, kind: Hold['kind'], note: string) =>
    (await answerOf(routes.POST('/api/customers/{customer_id}/holds', { params: customer(id), body: { kind, note } }))).holds,
  release: async (id: number, kind: Hold['kind']) =>
    (await answerOf(routes.DELETE('/api/customers/{customer_id}/holds', { params: { ...customer(id), query: { kind } } }))).holds,

  lists: (query: { text?: string; cursor?: string; limit?: number } = {}) => answerOf(routes.GET('/api/campaign-lists', { params: { query } })),
  list: (id: number) => answerOf(routes.GET('/api/campaign-lists/{list_id}', list(id))),
  addList: (body: NewPeopleList) => answerOf(routes.POST('/api/campaign-lists', { body })),
  deleteList: (id: number) => answerOf(routes.DELETE('/api/campaign-lists/{list_id}', list(id))),
}

export const notFoundOf = (id: number): string => `/api/campaign-lists/${id}/missing`
