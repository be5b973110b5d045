/** Calls about follow-up plans. */

import { answerOf, routes } from './client'
import type { Group } from './lists'
import type { components } from './schema'

type Schemas = components['schemas']
export type Sop = Schemas['SopView']
export type SopDetail = Schemas['SopDetail']
export type SopPlan = Sop['plan']
export type SopStep = Schemas['SopStep']
export type StepResult = Schemas['StepResult']
export type SopEntry = Schemas['EntryView']
export type CustomerSops = Schemas['CustomerSops']
export type EntryState = SopEntry['state']
type PlanInput = Schemas['NewSop']['plan']

/** As the editor holds it: everything said. */
export interface PlanDraft {
  start: SopPlan['start']
  filter: Group
  steps: Required<SopStep>[]
  on_reply: SopPlan['on_reply'] & string
  leave: boolean
  again: boolean
  late_hours: number
  quiet: { begin: string; end: string } | null
  deputy_id: number | null
}

const sop = (sop_id: number) => ({ params: { path: { sop_id } } })
const of = (customer_id: number) => ({ params: { path: { customer_id } } })
const input = (plan: PlanDraft) => plan as unknown as PlanInput

export const sopApi = {
  list: (cursor?: string) => answerOf(routes.GET('/api/sops', { params: { query: { cursor } } })),
  one: (id: number) => answerOf(routes.GET('/api/sops/{sop_id}', sop(id))),
  add: (client_token: string, name: string, plan: PlanDraft) => answerOf(routes.POST('/api/sops', { body: { client_token, name, plan: input(plan) } })),
  change: (id: number, version: number, name: string, plan: PlanDraft) =>
    answerOf(routes.PATCH('/api/sops/{sop_id}', { ...sop(id), body: { version, name, plan: input(plan) } })),
  remove: (id: number) => answerOf(routes.DELETE('/api/sops/{sop_id}', sop(id))),
  matching: async (id: number) => (await answerOf(routes.POST('/api/sops/{sop_id}/matching', sop(id)))).n,
  enable: (id: number, also_matching: boolean) => answerOf(routes.POST('/api/sops/{sop_id}/enable', { ...sop(id), body: { also_matching } })),
  disable: (id: number) => answerOf(routes.POST('/api/sops/{sop_id}/disable', sop(id))),
  entries: (id: number, query: { before?: number; state?: EntryState; reason?: string }) =>
    answerOf(routes.GET('/api/sops/{sop_id}/entries', { params: { path: { sop_id: id }, query } })),
  ofCustomer: (id: number) => answerOf(routes.GET('/api/customers/{customer_id}/sops', of(id))),
  begin: (id: number, sop_id: number, client_token: string) => answerOf(routes.POST('/api/customers/{customer_id}/sops', { ...of(id), body: { sop_id, client_token } })),
  stop: (entry_id: number) => answerOf(routes.POST('/api/sop-entries/{entry_id}/stop', { params: { path: { entry_id } } })),
}
