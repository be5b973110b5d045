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

export type PoolPage = Schemas['PoolPage']
export type Pooled = Schemas['PooledView']
export type Distribution = Schemas['PoolDistribution']
export type PoolRule = Required<Schemas['PoolRule']>
export type ClaimLimits = Required<Schemas['ClaimLimits']>
export type Tried = Schemas['TriedView']

export interface PoolQuery {
  q?: string
  stage_id?: number
  lost_by?: number
}

export const pool = {
  page: (query: PoolQuery, cursor?: string) =>
    answerOf(routes.GET('/api/pool', { params: { query: { ...query, cursor } as never } })),
  plan: (agent_ids: number[], ids: number[] | null, count: number | null) =>
    answerOf(routes.POST('/api/pool/distribute', { body: { agent_ids, ids, count, preview: true } })),
  distribute: (agent_ids: number[], ids: number[]) =>
    answerOf(routes.POST('/api/pool/distribute', { body: { agent_ids, ids, preview: false } })),
  tryOut: (rule: PoolRule, rule_id: number | null) =>
    answerOf(routes.POST('/api/rules/pool/try', { body: { rule, rule_id } })),
  limits: async () => (await answerOf(routes.GET('/api/settings/pool'))) as ClaimLimits,
  changeLimits: async (body: ClaimLimits) => (await answerOf(routes.PATCH('/api/settings/pool', { body }))) as ClaimLimits,
}

export type Handover = Schemas['HandoverView']
export type HandoverPlan = Schemas['HandoverPlan']
export type HandoverPreview = Schemas['HandoverPreview']
export type HandoverItem = Schemas['HandoverItem']

const one = (handover_id: number) => ({ params: { path: { handover_id } } })
export const handovers = {
  list: (before: number | null) =>
    answerOf(routes.GET('/api/handovers', { params: { query: { before: before ?? undefined } } })),
  show: (id: number) => answerOf(routes.GET('/api/handovers/{handover_id}', one(id))),
  preview: (body: HandoverPlan) => answerOf(routes.POST('/api/handovers/preview', { body })),
  begin: (body: HandoverPlan, client_token: string) => answerOf(routes.POST('/api/handovers', { body: { ...body, client_token } })),
  items: (handover_id: number, query: { open?: boolean; kind?: string; after?: number }) =>
    answerOf(routes.GET('/api/handovers/{handover_id}/items', { params: { path: { handover_id }, query: query as never } })),
  retry: (id: number, to_agent_id: number | null) =>
    answerOf(routes.POST('/api/handovers/{handover_id}/retry', { ...one(id), body: { to_agent_id } })),
  back: (id: number) => answerOf(routes.POST('/api/handovers/{handover_id}/back', one(id))),
}
