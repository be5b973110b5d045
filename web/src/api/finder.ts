/** Calls of the place where any sentence is found, and of the chat beside it. */

import { answerOf, routes } from './client'
import type { components, operations } from './schema'

type Answer<Name extends keyof operations> = operations[Name] extends { responses: { 200: { content: { 'application/json': infer Body } } } } ? Body : never
type QueryOf<Name extends keyof operations> = operations[Name] extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never

export type AuditChat = components['schemas']['AuditChat']
export type Hits = Answer<'get_api_audit_search'>
export type Hit = Hits['hits'][number]
export type HitMark = Hit['marks'][number]
export type Facets = Answer<'get_api_audit_search_facets'>
export type Found = Answer<'get_api_audit_people'>['people'][number]
export type SavedSearch = Answer<'get_api_audit_searches'>['searches'][number]
export type Question = QueryOf<'get_api_audit_search_facets'>
export type PageQuestion = QueryOf<'get_api_audit_search'>

export const finderApi = {
  /** Opens a chat: what is known about it; leaves a line in the trail. */
  look: (conversation_id: number) => answerOf(routes.POST('/api/audit/views', { body: { conversation_id } })),
  search: (query: PageQuestion, signal?: AbortSignal) => answerOf(routes.GET('/api/audit/search', { params: { query }, signal })),
  facets: (query: Question, signal?: AbortSignal) => answerOf(routes.GET('/api/audit/search/facets', { params: { query }, signal })),
  saved: async () => (await answerOf(routes.GET('/api/audit/searches'))).searches,
  keep: (body: components['schemas']['NewSavedSearch']) => answerOf(routes.POST('/api/audit/searches', { body })),
  change: (search_id: number, body: components['schemas']['SavedSearchInput']) => answerOf(routes.PATCH('/api/audit/searches/{search_id}', { params: { path: { search_id } }, body })),
  drop: (search_id: number) => answerOf(routes.DELETE('/api/audit/searches/{search_id}', { params: { path: { search_id } } })),
  people: (q: string, signal?: AbortSignal) => answerOf(routes.GET('/api/audit/people', { params: { query: { q, limit: 8 } }, signal })),
}
