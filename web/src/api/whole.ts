/** Calls of a customer's own page. */

import { answerOf, routes, upload } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Customer = Schemas['CustomerView']
export type CustomerChange = Schemas['CustomerInput']
export type StoryEntry = Schemas['StoryEntry']
export type StoryPage = Schemas['Story']
export type MergePreview = Schemas['MergePreview']
export type MergeSide = Schemas['SideView']
export type MergeLog = Schemas['MergeLog']
export type MergeEntry = Schemas['MergeEntry']
export type Duplicate = Schemas['DuplicateView']
export type EntryMatch = Schemas['EntryMatch']
export type CustomerFile = Schemas['CustomerFileView']
export type StoryPart = 'messages' | 'follow_ups' | 'tasks' | 'changes' | 'events'

const customer = (customer_id: number) => ({ params: { path: { customer_id } } })

export const whole = {
  customer: (id: number) => answerOf(routes.GET('/api/customers/{customer_id}', customer(id))),
  change: (id: number, body: CustomerChange) => answerOf(routes.PATCH('/api/customers/{customer_id}', { ...customer(id), body })),
  story: (customer_id: number, parts: readonly StoryPart[], cursor?: string, limit = 30) =>
    answerOf(
      routes.GET('/api/customers/{customer_id}/story', {
        params: { path: { customer_id }, query: { parts: parts.join(',') || undefined, cursor, limit } },
      }),
    ),

  previewMerge: (ids: number[]) => answerOf(routes.POST('/api/customers/merge/preview', { body: { ids } })),
  merge: (body: Schemas['CustomerMergeInput']) => answerOf(routes.POST('/api/customers/merge', { body })),
  split: (id: number, body: Schemas['SplitInput']) => answerOf(routes.POST('/api/customers/{customer_id}/split', { ...customer(id), body })),
  merges: (id: number) => answerOf(routes.GET('/api/customers/{customer_id}/merges', customer(id))),
  undoMerge: (merge_id: number) => answerOf(routes.POST('/api/customer-merges/{merge_id}/undo', { params: { path: { merge_id } } })),
  duplicates: (query: { cursor?: string; customer_id?: number; limit?: number }) =>
    answerOf(routes.GET('/api/customer-duplicates', { params: { query } })),
  dismissDuplicate: (duplicate_id: number) =>
    answerOf(routes.POST('/api/customer-duplicates/{duplicate_id}/dismiss', { params: { path: { duplicate_id } } })),

  check: (body: Schemas['EntryCheck']) => answerOf(routes.POST('/api/customers/check', { body })),
  create: (body: Schemas['NewCustomer']) => answerOf(routes.POST('/api/customers', { body })),
  ask: (customer_id: number, reason: string) => answerOf(routes.POST('/api/customer-requests', { body: { customer_id, reason } })),

  files: (id: number) => answerOf(routes.GET('/api/customers/{customer_id}/files', customer(id))),
  addFile: (id: number, file: File, onProgress: (done: number) => void, signal: AbortSignal) =>
    upload<CustomerFile>(`/api/customers/${id}/files`, file, file.name, onProgress, signal),
  deleteFile: (file_id: number) => answerOf(routes.DELETE('/api/customer-files/{file_id}', { params: { path: { file_id } } })),
}
