/** Calls of stages, tags, the board, rules and reports. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type StageView = Schemas['StageView']
export type TagView = Schemas['TagView']
export type TagGroupView = Schemas['TagGroupView']
export type BoardColumn = Schemas['ColumnView']
export type BoardCard = Schemas['CardView']
/** Whose customers; absent: everybody's within reach. */
export interface BoardFilter {
  whose?: 'mine' | 'all' | 'nobody'
  owner_id?: number
  team_id?: number
  tag_id?: number
}
export type Color = StageView['color']
export type StageKind = StageView['kind']

const stage = (stage_id: number) => ({ params: { path: { stage_id } } })
const group = (group_id: number) => ({ params: { path: { group_id } } })
const tag = (tag_id: number) => ({ params: { path: { tag_id } } })

export const stagesApi = {
  stages: () => answerOf(routes.GET('/api/stages')),
  addStage: (body: Schemas['NewStage']) => answerOf(routes.POST('/api/stages', { body })),
  addDefaults: () => answerOf(routes.POST('/api/stages/defaults')),
  changeStage: (id: number, body: Schemas['StageInput']) => answerOf(routes.PATCH('/api/stages/{stage_id}', { ...stage(id), body })),
  orderStages: (ids: number[]) => answerOf(routes.POST('/api/stages/order', { body: { ids } })),
  archiveStage: (id: number, move_to: number | null) =>
    answerOf(routes.POST('/api/stages/{stage_id}/archive', { ...stage(id), body: { move_to } })),
  move: (ids: number[], stage_id: number | null, reason = '') =>
    answerOf(routes.POST('/api/stages/move', { body: { ids, stage_id, reason } })),

  board: (query: BoardFilter) => answerOf(routes.GET('/api/board', { params: { query } })),
  boardCards: (stage_id: number, cursor: string, query: BoardFilter) =>
    answerOf(routes.GET('/api/board/cards', { params: { query: { ...query, stage_id, cursor } } })),

  tags: () => answerOf(routes.GET('/api/tags')),
  tagCounts: () => answerOf(routes.GET('/api/tags/counts')),
  changeTags: (ids: number[], add: number[], remove: number[]) => answerOf(routes.POST('/api/tags/change', { body: { ids, add, remove } })),
  addGroup: (body: Schemas['NewTagGroup']) => answerOf(routes.POST('/api/tag-groups', { body })),
  changeGroup: (id: number, body: Schemas['TagGroupInput']) => answerOf(routes.PATCH('/api/tag-groups/{group_id}', { ...group(id), body })),
  orderGroups: (ids: number[]) => answerOf(routes.POST('/api/tag-groups/order', { body: { ids } })),
  orderTags: (id: number, ids: number[]) => answerOf(routes.POST('/api/tag-groups/{group_id}/order', { ...group(id), body: { ids } })),
  addTag: (group_id: number, name: string) => answerOf(routes.POST('/api/tags', { body: { group_id, name } })),
  changeTag: (id: number, body: Schemas['TagInput']) => answerOf(routes.PATCH('/api/tags/{tag_id}', { ...tag(id), body })),
  mergeTag: (id: number, into_id: number) => answerOf(routes.POST('/api/tags/{tag_id}/merge', { ...tag(id), body: { into_id } })),
}
