/** Reasons, the mark on the screen, how long things are kept, holds, one person's data. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type ReasonInput = Schemas['ReasonInput']
export type PrivacyView = Schemas['PrivacyView']
export type Retention = Schemas['Retention']
export type RetentionRule = Schemas['RetentionRuleView']
export type RetentionRuleInput = Schemas['RetentionRuleInput']
export type RetentionPreview = Schemas['RetentionPreview']
export type LegalHold = Schemas['LegalHoldView']
export type LegalHoldInput = Schemas['LegalHoldInput']
export type Erasure = Schemas['ErasureView']

const erasure = (erasure_id: number) => ({ params: { path: { erasure_id } } })

export const retention = {
  privacy: () => answerOf(routes.GET('/api/settings/privacy')),
  setPrivacy: (body: Schemas['Privacy']) => answerOf(routes.POST('/api/settings/privacy', { body })),
  giveReason: (body: ReasonInput) => answerOf(routes.POST('/api/reasons', { body })),
  show: () => answerOf(routes.GET('/api/audit/retention')),
  preview: (query: { kind: RetentionRule['kind']; channel: string; days: number }) =>
    answerOf(routes.GET('/api/audit/retention/preview', { params: { query } })),
  setRule: (body: RetentionRuleInput) => answerOf(routes.POST('/api/audit/retention/rules', { body })),
  dropRule: (rule_id: number) => answerOf(routes.DELETE('/api/audit/retention/rules/{rule_id}', { params: { path: { rule_id } } })),
  holds: () => answerOf(routes.GET('/api/audit/holds', { params: { query: { limit: 100 } } })),
  placeHold: (body: LegalHoldInput) => answerOf(routes.POST('/api/audit/holds', { body })),
  liftHold: (hold_id: number, reason: string) =>
    answerOf(routes.POST('/api/audit/holds/{hold_id}/lift', { params: { path: { hold_id } }, body: { reason } })),
  erasures: () => answerOf(routes.GET('/api/audit/erasures', { params: { query: { limit: 50 } } })),
  plan: (body: Schemas['ErasureInput']) => answerOf(routes.POST('/api/audit/erasures', { body })),
  confirm: (id: number, confirm: string) => answerOf(routes.POST('/api/audit/erasures/{erasure_id}/confirm', { ...erasure(id), body: { confirm } })),
  cancel: (id: number) => answerOf(routes.POST('/api/audit/erasures/{erasure_id}/cancel', erasure(id))),
}

export const personPackage = (customer_id: number): string => `/api/audit/people/${customer_id}/export`
