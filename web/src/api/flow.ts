/** Calls about who answers, when, and how well: rules, hours, who is at work, the team. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
/** What the service leaves out it fills in: in its answers everything is there. */
type Full<T> = { [K in keyof T]-?: T[K] }

export type Conditions = Full<Schemas['Conditions']>
export type Span = Schemas['Span']
export type DayException = Full<Schemas['DayException']>
export type Plan = Full<Omit<Schemas['Plan'], 'exceptions'>> & { exceptions: DayException[] }
export interface RuleData {
  hours: { account_ids: number[]; plan: Plan }
  assignment: Full<Omit<Schemas['Assignment'], 'conditions'>> & { conditions: Conditions }
  sla: Full<Omit<Schemas['Sla'], 'conditions'>> & { conditions: Conditions }
  answer: Full<Omit<Schemas['Answer'], 'conditions'>> & { conditions: Conditions }
  survey: Full<Schemas['Survey']>
  pool: Full<Schemas['PoolRule']>
}
export type RuleKind = keyof RuleData
export interface Rule<K extends RuleKind = RuleKind> {
  id: number
  name: string
  position: number
  enabled: boolean
  updated_at: string
  data: RuleData[K]
}
export type General = Schemas['CompanyFacts']
export type FlowSettings = Full<Schemas['FlowSettings']>
export type Attendance = Schemas['AttendanceView']
export type Status = Attendance['status']
export type TeamOverview = Schemas['TeamOverview']
export type Rep = Schemas['RepView']
export type Figures = Schemas['FiguresView']
export type Trial = Schemas['TrialView']
export type Considered = Schemas['ConsideredView']
export type Explanation = Schemas['ExplanationView']

/** The five routes are the same for each kind; only the data differ. */
interface Untyped {
  GET(path: string): Promise<{ data?: unknown; error?: unknown; response: Response }>
  POST(path: string, options: object): Promise<{ data?: unknown; error?: unknown; response: Response }>
  PATCH(path: string, options: object): Promise<{ data?: unknown; error?: unknown; response: Response }>
  DELETE(path: string): Promise<{ data?: unknown; error?: unknown; response: Response }>
}
const plain = routes as unknown as Untyped

export function rulesOf<K extends RuleKind>(kind: K) {
  const path = `/api/rules/${kind}`
  return {
    list: async () => ((await answerOf(plain.GET(path))) as { rules: Rule<K>[] }).rules,
    add: async (name: string, data: RuleData[K]) => (await answerOf(plain.POST(path, { body: { name, data } }))) as Rule<K>,
    change: async (id: number, body: { name?: string; enabled?: boolean; data?: RuleData[K] }) =>
      (await answerOf(plain.PATCH(`${path}/${id}`, { body }))) as Rule<K>,
    order: async (ids: number[]) => ((await answerOf(plain.POST(`${path}/order`, { body: { ids } }))) as { rules: Rule<K>[] }).rules,
    remove: (id: number) => answerOf(plain.DELETE(`${path}/${id}`)),
  }
}

export const flow = {
  general: () => answerOf(routes.GET('/api/settings/general')),
  changeGeneral: (body: General) => answerOf(routes.PATCH('/api/settings/general', { body })),
  settings: async () => (await answerOf(routes.GET('/api/settings/flow'))) as FlowSettings,
  changeSettings: async (body: FlowSettings) => (await answerOf(routes.PATCH('/api/settings/flow', { body }))) as FlowSettings,
  attendance: () => answerOf(routes.GET('/api/attendance')),
  setStatus: (status: Status) => answerOf(routes.POST('/api/me/status', { body: { status } })),
  setCapacity: (agent_id: number, capacity: number) =>
    answerOf(routes.PATCH('/api/attendance/{agent_id}', { params: { path: { agent_id } }, body: { capacity } })),
  team: (query: { account_id?: number; team_id?: number; day?: string }) => answerOf(routes.GET('/api/team', { params: { query } })),
  routing: (conversation_id: number) =>
    answerOf(routes.GET('/api/conversations/{conversation_id}/routing', { params: { path: { conversation_id } } })),
  tryOut: (body: Schemas['TryInput']) => answerOf(routes.POST('/api/routing/try', { body })),
  calendar: (year: number) => answerOf(routes.GET('/api/calendar', { params: { query: { year } } })),
  hoursNow: () => answerOf(routes.GET('/api/hours')),
}
