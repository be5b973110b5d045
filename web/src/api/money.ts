/** Calls about payments: what was seen of money, and what was said of it. */

import { answerOf, routes } from './client'
import type { components, paths } from './schema'

type Schemas = components['schemas']
export type Payment = Schemas['PaymentView']
export type PaymentKind = Payment['kind']
export type PaymentTotals = Schemas['PaymentTotals']
export type PaymentSummary = Schemas['PaymentSummary']
export type PaymentClaim = Schemas['PaymentClaimView']
export type ClaimCounts = Schemas['ClaimCounts']
export type Thresholds = Schemas['MoneyThresholds']
export type PaymentFilter = NonNullable<paths['/api/audit/payments/summary']['get']['parameters']['query']>
export type ClaimFilter = NonNullable<paths['/api/audit/payments/claims']['get']['parameters']['query']>

export const moneyApi = {
  list: (query: PaymentFilter, cursor?: string) => answerOf(routes.GET('/api/audit/payments', { params: { query: { ...query, cursor } } })),
  summary: (query: PaymentFilter) => answerOf(routes.GET('/api/audit/payments/summary', { params: { query } })),
  claims: (query: ClaimFilter, cursor?: string) => answerOf(routes.GET('/api/audit/payments/claims', { params: { query: { ...query, cursor } } })),
  thresholds: async () => (await answerOf(routes.GET('/api/audit/payments/thresholds'))).thresholds,
  changeThresholds: (body: Thresholds) => answerOf(routes.PATCH('/api/audit/payments/thresholds', { body })),
}

export function exportAddress(kind: 'csv' | 'xlsx', query: PaymentFilter): string {
  const wanted = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== false) wanted.set(name, String(value))
  return `/api/audit/payments/export/${kind}?${wanted}`
}
