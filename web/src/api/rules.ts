/** Calls about rules of the audit, and the alerts they raise. */

import { answerOf, routes, upload } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Alert = Schemas['AlertView']
export type AlertPage = Schemas['AlertPage']
export type AlertDetail = Schemas['AlertDetail']
export type AlertCounts = Schemas['AlertCounts']
export type AlertAct = Schemas['AlertAct']
export type AlertsChanged = Schemas['AlertsChanged']
export type AuditRule = Schemas['AuditRuleView']
export type RuleData = NonNullable<AuditRule['data']>
export type RuleKind = AuditRule['kind']
export type Severity = AuditRule['severity']
export type Word = Schemas['WordInput']
export type WordsRead = Schemas['WordsRead']
export type NewRule = Schemas['NewAuditRule']
export type RuleChange = Schemas['AuditRuleInput']
export type TrialFind = Schemas['TrialFind']
export type RuleVersion = Schemas['RuleVersionView']
export type Mute = Schemas['MuteView']
export type Message = Schemas['MessageView']

export interface AlertsQuery {
  state?: 'new' | 'taken' | 'done' | 'dismissed' | 'open'
  severity?: Severity
  kind?: string
  rule_id?: number
  assignee_id?: number
  agent_id?: number
  cursor?: number
}

const of = (rule_id: number) => ({ params: { path: { rule_id } } })

export const rulesApi = {
  alerts: (query: AlertsQuery) => answerOf(routes.GET('/api/audit/alerts', { params: { query } })),
  alert: (alert_id: number) => answerOf(routes.GET('/api/audit/alerts/{alert_id}', { params: { path: { alert_id } } })),
  counts: () => answerOf(routes.GET('/api/audit/alerts/counts')),
  act: (body: AlertAct) => answerOf(routes.POST('/api/audit/alerts/act', { body })),
  /** Opens the chat for audit; leaves a line in the trail. */
  look: (conversation_id: number) => answerOf(routes.POST('/api/audit/views', { body: { conversation_id } })),
  around: (conversation_id: number, around: number) =>
    answerOf(routes.GET('/api/conversations/{conversation_id}/messages', { params: { path: { conversation_id }, query: { around, limit: 16 } } })),

  rules: async () => (await answerOf(routes.GET('/api/audit/rules'))).rules,
  rule: (id: number) => answerOf(routes.GET('/api/audit/rules/{rule_id}', of(id))),
  add: (body: NewRule) => answerOf(routes.POST('/api/audit/rules', { body })),
  change: (id: number, body: RuleChange) => answerOf(routes.PATCH('/api/audit/rules/{rule_id}', { ...of(id), body })),
  delete: (id: number) => answerOf(routes.DELETE('/api/audit/rules/{rule_id}', of(id))),
  versions: async (id: number) => (await answerOf(routes.GET('/api/audit/rules/{rule_id}/versions', of(id)))).versions,
  mutes: async (id: number) => (await answerOf(routes.GET('/api/audit/rules/{rule_id}/mutes', of(id)))).mutes,
  unmute: (rule_id: number, mute_id: number) => answerOf(routes.DELETE('/api/audit/rules/{rule_id}/mutes/{mute_id}', { params: { path: { rule_id, mute_id } } })),
  lookBack: (id: number, body: { since: string | null; alerts: boolean }) => answerOf(routes.POST('/api/audit/rules/{rule_id}/look-back', { ...of(id), body })),
  stopLooking: (id: number) => answerOf(routes.DELETE('/api/audit/rules/{rule_id}/look-back', of(id))),
  test: async (text: string, out: boolean, data?: RuleData) =>
    (await answerOf(routes.POST('/api/audit/rules/test', { body: { text, out, ...(data ? { data } : {}) } as never }))).finds,
  readWords: (file: File) => upload<WordsRead>('/api/audit/rules/words', file, file.name, () => undefined),
}
