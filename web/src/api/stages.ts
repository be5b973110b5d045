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
export type GrowthReport = Schemas['GrowthReport']
export type SourceReport = Schemas['SourceReport']
export type FunnelReport = Schemas['FunnelReport']
export type SpreadReport = Schemas['SpreadReport']
export type ResponseReport = Schemas['ResponseReport']
export type ReportUnit = GrowthReport['unit']
export interface ReportFilter {
  first?: string
  last?: string
  unit?: ReportUnit
  owner_id?: number
  team_id?: number
}
export type TagRule = Schemas['CustomerTagRuleView']
export type StageRule = Schemas['CustomerStageRuleView']
export type Cause = TagRule['data']['cause'] | StageRule['data']['cause']
export type CauseKind = Cause['on']
export type Trial = Schemas['RuleTrialView']
export type RuleKind = 'tag' | 'stage'
/** A rule of either kind; what it gives stands in `tag_ids` or `stage_id`. */
export type AnyRule = TagRule | StageRule
export type RuleData = AnyRule['data']
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

  rules: async (kind: RuleKind): Promise<AnyRule[]> =>
    (await (kind === 'tag' ? answerOf(routes.GET('/api/customer-rules/tag')) : answerOf(routes.GET('/api/customer-rules/stage')))).rules,
  addRule: (kind: RuleKind, name: string, data: RuleData): Promise<AnyRule> =>
    kind === 'tag'
      ? answerOf(routes.POST('/api/customer-rules/tag', { body: { name, enabled: true, data: data as TagRule['data'] } }))
      : answerOf(routes.POST('/api/customer-rules/stage', { body: { name, enabled: true, data: data as StageRule['data'] } })),
  changeRule: (kind: RuleKind, rule_id: number, change: { name?: string; enabled?: boolean; data?: RuleData }): Promise<AnyRule> => {
    const params = { path: { rule_id } }
    return kind === 'tag'
      ? answerOf(routes.PATCH('/api/customer-rules/tag/{rule_id}', { params, body: change as Schemas['CustomerTagRuleInput'] }))
      : answerOf(routes.PATCH('/api/customer-rules/stage/{rule_id}', { params, body: change as Schemas['CustomerStageRuleInput'] }))
  },
  deleteRule: (kind: RuleKind, rule_id: number): Promise<unknown> => {
    const params = { path: { rule_id } }
    return kind === 'tag'
      ? answerOf(routes.DELETE('/api/customer-rules/tag/{rule_id}', { params }))
      : answerOf(routes.DELETE('/api/customer-rules/stage/{rule_id}', { params }))
  },
  orderRules: async (kind: RuleKind, ids: number[]): Promise<AnyRule[]> =>
    (await (kind === 'tag' ? answerOf(routes.POST('/api/customer-rules/tag/order', { body: { ids } })) : answerOf(routes.POST('/api/customer-rules/stage/order', { body: { ids } })))).rules,
  tryRule: (kind: RuleKind, data: RuleData, rule_id: number | null): Promise<Trial> =>
    kind === 'tag'
      ? answerOf(routes.POST('/api/customer-rules/tag/try', { body: { data: data as TagRule['data'], rule_id } }))
      : answerOf(routes.POST('/api/customer-rules/stage/try', { body: { data: data as StageRule['data'], rule_id } })),
  applyRule: (kind: RuleKind, rule_id: number): Promise<AnyRule> => {
    const params = { path: { rule_id } }
    return kind === 'tag'
      ? answerOf(routes.POST('/api/customer-rules/tag/{rule_id}/apply', { params }))
      : answerOf(routes.POST('/api/customer-rules/stage/{rule_id}/apply', { params }))
  },

  growth: (query: ReportFilter) => answerOf(routes.GET('/api/reports/growth', { params: { query } })),
  sources: (query: ReportFilter) => answerOf(routes.GET('/api/reports/sources', { params: { query } })),
  funnel: (query: ReportFilter) => answerOf(routes.GET('/api/reports/funnel', { params: { query } })),
  spread: (query: ReportFilter, by: string) => answerOf(routes.GET('/api/reports/spread', { params: { query: { ...query, by } } })),
  responses: (query: ReportFilter) => answerOf(routes.GET('/api/reports/responses', { params: { query } })),
}
