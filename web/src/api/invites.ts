/** Calls about lists of numbers that people add by hand. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Batch = Schemas['BatchView']
export type BatchDetail = Schemas['BatchDetail']
export type ListInput = Schemas['ListInput']
export type NewBatch = Schemas['NewBatch']
export type Preview = Schemas['PreviewView']
export type Share = Schemas['ShareOfToday']
export type Invite = Schemas['InviteView']
export type Outcome = Schemas['OutcomeInput']['state']

const batch = (batch_id: number) => ({ path: { batch_id } })
const invite = (invite_id: number) => ({ params: { path: { invite_id } } })

export const invitesApi = {
  batches: (cursor?: string) => answerOf(routes.GET('/api/invite-batches', { params: { query: { cursor } } })),
  batch: (id: number) => answerOf(routes.GET('/api/invite-batches/{batch_id}', { params: batch(id) })),
  numbers: (id: number, after: number) =>
    answerOf(routes.GET('/api/invite-batches/{batch_id}/numbers', { params: { ...batch(id), query: { after } } })),
  preview: (body: ListInput) => answerOf(routes.POST('/api/invite-batches/preview', { body })),
  add: (body: NewBatch) => answerOf(routes.POST('/api/invite-batches', { body })),
  end: (id: number) => answerOf(routes.POST('/api/invite-batches/{batch_id}/end', { params: batch(id) })),
  today: () => answerOf(routes.GET('/api/invites/today')),
  copied: (id: number) => answerOf(routes.POST('/api/invites/{invite_id}/copied', invite(id))),
  say: (id: number, state: Outcome) => answerOf(routes.POST('/api/invites/{invite_id}/outcome', { ...invite(id), body: { state } })),
}
