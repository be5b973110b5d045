/** Calls of lists of customers: pages, views, segments, acts on many, the recycle bin, fields. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type CustomerRow = Schemas['CustomerRow']
export type Count = Schemas['FoundCount']
export type FieldView = Schemas['CustomFieldView']
export type FieldKind = FieldView['kind']
export type SegmentView = Schemas['SegmentView']
export type KeptView = Schemas['KeptView']
export type BulkAct = Omit<Schemas['BulkAct'], 'add' | 'remove' | 'reason'> & { add?: number[]; remove?: number[]; reason?: string }
export type BulkPreview = Schemas['BulkPreview']
export type Op = Schemas['Condition']['op']

export interface Condition {
  field: string
  op: Op
  value?: boolean | number | string | (number | string)[] | null
}
export interface Group {
  match: 'all' | 'any' | 'none'
  parts: (Condition | Group)[]
}
export interface Sort {
  key: string
  descending: boolean
}
export interface Target {
  ids?: number[]
  filter?: Group
  except_ids?: number[]
}
export interface ViewData {
  filter: Group
  sort: Sort[]
  columns: string[]
}
export const isGroup = (part: Condition | Group): part is Group => 'parts' in part

const view = (view_id: number) => ({ params: { path: { view_id } } })
const segment = (segment_id: number) => ({ params: { path: { segment_id } } })

export const lists = {
  search: (body: { filter: Group; sort: Sort[]; cursor?: string; back?: boolean; limit?: number; deleted?: boolean }) =>
    answerOf(routes.POST('/api/customers/search', { body: body as never })),
  count: (filter: Group, deleted = false) => answerOf(routes.POST('/api/customers/count', { body: { filter, deleted } as never })),

  views: () => answerOf(routes.GET('/api/customer-views')),
  viewCounts: () => answerOf(routes.GET('/api/customer-views/counts')),
  addView: (body: { name: string; team_id: number | null; company: boolean; data: ViewData }) =>
    answerOf(routes.POST('/api/customer-views', { body: body as never })),
  changeView: (id: number, body: { name?: string; data?: ViewData; position?: number }) =>
    answerOf(routes.PATCH('/api/customer-views/{view_id}', { ...view(id), body: body as never })),
  deleteView: (id: number) => answerOf(routes.DELETE('/api/customer-views/{view_id}', view(id))),

  segments: () => answerOf(routes.GET('/api/segments')),
  addSegment: (name: string, filter: Group) => answerOf(routes.POST('/api/segments', { body: { name, description: '', filter } as never })),
  changeSegment: (id: number, body: { name?: string; filter?: Group; version: number }) =>
    answerOf(routes.PATCH('/api/segments/{segment_id}', { ...segment(id), body: body as never })),
  deleteSegment: (id: number) => answerOf(routes.DELETE('/api/segments/{segment_id}', segment(id))),
  countSegment: (id: number) => answerOf(routes.POST('/api/segments/{segment_id}/count', segment(id))),

  preview: (body: BulkAct) => answerOf(routes.POST('/api/customers/bulk/preview', { body: body as never })),
  bulk: (body: BulkAct) => answerOf(routes.POST('/api/customers/bulk', { body: body as never })),
  restore: (ids: number[]) => answerOf(routes.POST('/api/customers/restore', { body: { ids } })),
  purge: (ids: number[], confirm: string) => answerOf(routes.POST('/api/customers/purge', { body: { ids, confirm } })),

  fields: () => answerOf(routes.GET('/api/customer-fields')),
  addField: (body: Schemas['NewField']) => answerOf(routes.POST('/api/customer-fields', { body })),
  changeField: (field_id: number, body: Schemas['FieldInput']) =>
    answerOf(routes.PATCH('/api/customer-fields/{field_id}', { params: { path: { field_id } }, body })),
}

export type ImportView = Schemas['ImportView']
export type ExportView = Schemas['ExportView']
const one = (import_id: number) => ({ params: { path: { import_id } } })

export const sheets = {
  imports: () => answerOf(routes.GET('/api/customer-imports')),
  take: (attachment_id: number) => answerOf(routes.POST('/api/customer-imports', { body: { attachment_id } })),
  import: (id: number) => answerOf(routes.GET('/api/customer-imports/{import_id}', one(id))),
  check: (id: number, body: { mapping: string[]; existing: 'skip' | 'update' | 'create'; owner_id: number | null; source: string; tags: number[] }) =>
    answerOf(routes.POST('/api/customer-imports/{import_id}/check', { ...one(id), body })),
  run: (id: number) => answerOf(routes.POST('/api/customer-imports/{import_id}/run', one(id))),
  cancel: (id: number) => answerOf(routes.POST('/api/customer-imports/{import_id}/cancel', one(id))),
  exports: () => answerOf(routes.GET('/api/customer-exports')),
  export: (target: Target, columns: string[], format: 'xlsx' | 'csv') =>
    answerOf(routes.POST('/api/customer-exports', { body: { target, columns, format } as never })),
}
