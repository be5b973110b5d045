/** Calls about whom campaigns reach: lists of people, what keeps campaigns from somebody, posts that are kept. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type PeopleList = Schemas['ListRow']
export type PeopleListDetail = Schemas['ListDetail']
export type NewPeopleList = Schemas['NewList']

const list = (list_id: number) => ({ params: { path: { list_id } } })

export const reachApi = {
  lists: (query: { text?: string; cursor?: string; limit?: number } = {}) => answerOf(routes.GET('/api/campaign-lists', { params: { query } })),
  list: (id: number) => answerOf(routes.GET('/api/campaign-lists/{list_id}', list(id))),
  addList: (body: NewPeopleList) => answerOf(routes.POST('/api/campaign-lists', { body })),
  deleteList: (id: number) => answerOf(routes.DELETE('/api/campaign-lists/{list_id}', list(id))),
}

export const notFoundOf = (id: number): string => `/api/campaign-lists/${id}/missing`
