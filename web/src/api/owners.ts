/** Calls about whose customer it is. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Ownership = Schemas['OwnershipView']
export type OwnerResult = Schemas['OwnerResult']
export type Allowance = Schemas['AllowanceView']
export type Access = Schemas['ShareInput']['access']

export const owners = {
  show: (customer_id: number) =>
    answerOf(routes.GET('/api/customers/{customer_id}/ownership', { params: { path: { customer_id } } })),
  give: (ids: number[], to_id: number | null, reason = '') =>
    answerOf(routes.POST('/api/customers/owner', { body: { ids, to_id, reason } })),
  claim: (ids: number[]) => answerOf(routes.POST('/api/customers/claim', { body: { ids } })),
  share: (ids: number[], agent_ids: number[], access: Access) =>
    answerOf(routes.POST('/api/customers/share', { body: { ids, agent_ids, access } })),
}
