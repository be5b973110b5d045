/** Calls about relations on platforms: keeping in step, relations of a customer, customer groups. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Relations = Schemas['RelationsView']
export type Relation = Schemas['RelationView']
export type RelationChange = Partial<Schemas['RelationInput']>
export type Sync = Schemas['SyncView']
export type Group = Schemas['GroupChatView']
export type GroupOwner = Schemas['GroupOwner']
export type GroupPerson = Schemas['GroupPerson']
export type GroupState = 'all' | 'open' | 'owner_left' | 'dissolved'

export const relations = {
  sync: () => answerOf(routes.GET('/api/sync')),
  compare: (connection_id: number) =>
    answerOf(routes.POST('/api/connections/{connection_id}/sync', { params: { path: { connection_id } } })),
  of: (customer_id: number) =>
    answerOf(routes.GET('/api/customers/{customer_id}/relations', { params: { path: { customer_id } } })),
  change: (relation_id: number, body: RelationChange) =>
    answerOf(routes.PATCH('/api/relations/{relation_id}', { params: { path: { relation_id } }, body: body as Schemas['RelationInput'] })),
  groups: (query: { q?: string; owner?: string; state?: GroupState; before?: number }) =>
    answerOf(routes.GET('/api/groups', { params: { query } })),
  group: (group_id: number) => answerOf(routes.GET('/api/groups/{group_id}', { params: { path: { group_id } } })),
  people: (group_id: number, query: { left?: boolean; after?: number }) =>
    answerOf(routes.GET('/api/groups/{group_id}/people', { params: { path: { group_id }, query } })),
}
