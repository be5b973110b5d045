/** Calls about evidence and its chain. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type EvidenceExport = Schemas['EvidenceExportView']
export type Pick = Schemas['EvidencePickView']
export type Chain = Schemas['ChainView']

export interface Part {
  conversation_id: number
  from_seq: number
  to_seq: number | null
}

export const evidenceApi = {
  chain: () => answerOf(routes.GET('/api/audit/evidence/chain')),
  check: () => answerOf(routes.POST('/api/audit/evidence/check')),
  newKey: () => answerOf(routes.POST('/api/audit/evidence/key')),
  picks: async () => (await answerOf(routes.GET('/api/audit/evidence/picks'))).picks,
  pick: async (body: Part) => (await answerOf(routes.POST('/api/audit/evidence/picks', { body }))).picks,
  unpick: async (pick_id: number) => (await answerOf(routes.DELETE('/api/audit/evidence/picks/{pick_id}', { params: { path: { pick_id } } }))).picks,
  exports: async () => (await answerOf(routes.GET('/api/audit/evidence'))).exports,
  export: async (items: Part[], note: string, client_token: string) =>
    (await answerOf(routes.POST('/api/audit/evidence', { body: { items, note, client_token } }))).exports,
}
