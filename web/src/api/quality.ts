/** Calls of quality inspection, of one's own results, and of hot words. */

import { answerOf, routes } from './client'
import type { components, operations } from './schema'

type Schemas = components['schemas']
type QueryOf<Name extends keyof operations> = operations[Name] extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never

export type Sheet = Schemas['SheetView']
export type SheetVersion = Schemas['SheetVersionView']
export type SheetInput = Schemas['SheetInput']
export type PlanData = Required<Schemas['PlanData']> & { conditions: Schemas['PlanConditions'] }
export type Plan = Omit<Schemas['PlanView'], 'data'> & { data: PlanData }
export type PlanInput = Schemas['PlanInput']
export type SampleRow = Schemas['SampleRow']
export type Sample = Schemas['SampleView']
export type SampleCounts = Schemas['SampleCounts']
export type ScoreInput = Schemas['ScoreInput']
export type MyResult = Schemas['MyResult']
export type Item = Schemas['SheetItem']
export type Results = Schemas['InspectionResults']
export type ServiceRow = Schemas['ServiceRow']
export type Topic = Schemas['TopicView']
export type Words = Schemas['HotWordsView']
export type Dictionary = Schemas['Dictionary']
export type MoodOverTime = Schemas['MoodView']
export type WordQuery = QueryOf<'get_api_audit_words'>
export interface Period {
  first: string
  last: string
}

const sampleAt = (sample_id: number) => ({ params: { path: { sample_id } } })

export const qualityApi = {
  sheets: () => answerOf(routes.GET('/api/audit/quality/sheets')),
  addSheet: (body: SheetInput) => answerOf(routes.POST('/api/audit/quality/sheets', { body })),
  changeSheet: (sheet_id: number, body: SheetInput) => answerOf(routes.PATCH('/api/audit/quality/sheets/{sheet_id}', { params: { path: { sheet_id } }, body })),
  publish: (sheet_id: number) => answerOf(routes.POST('/api/audit/quality/sheets/{sheet_id}/publish', { params: { path: { sheet_id } } })),
  plans: async () => (await answerOf(routes.GET('/api/audit/quality/plans'))) as { plans: Plan[] },
  addPlan: (body: PlanInput) => answerOf(routes.POST('/api/audit/quality/plans', { body })),
  changePlan: (plan_id: number, body: PlanInput) => answerOf(routes.PATCH('/api/audit/quality/plans/{plan_id}', { params: { path: { plan_id } }, body })),
  deletePlan: (plan_id: number) => answerOf(routes.DELETE('/api/audit/quality/plans/{plan_id}', { params: { path: { plan_id } } })),
  draw: (plan_id: number, body: Schemas['DrawInput']) => answerOf(routes.POST('/api/audit/quality/plans/{plan_id}/draw', { params: { path: { plan_id } }, body })),
  samples: (query: QueryOf<'get_api_audit_quality_samples'>) => answerOf(routes.GET('/api/audit/quality/samples', { params: { query } })),
  sample: (id: number) => answerOf(routes.GET('/api/audit/quality/samples/{sample_id}', sampleAt(id))),
  score: (id: number, body: ScoreInput) => answerOf(routes.POST('/api/audit/quality/samples/{sample_id}/score', { ...sampleAt(id), body })),
  review: (id: number, body: ScoreInput) => answerOf(routes.POST('/api/audit/quality/samples/{sample_id}/review', { ...sampleAt(id), body })),
  decide: (id: number, body: Schemas['DecisionInput']) => answerOf(routes.POST('/api/audit/quality/samples/{sample_id}/decide', { ...sampleAt(id), body })),
  results: (query: Period & { agent_id?: number }) => answerOf(routes.GET('/api/audit/quality/results', { params: { query } })),
  service: (query: Period) => answerOf(routes.GET('/api/audit/quality/service', { params: { query } })),
  mine: () => answerOf(routes.GET('/api/me/quality')),
  appeal: (sample_id: number, reason: string) => answerOf(routes.POST('/api/me/quality/{sample_id}/appeal', { params: { path: { sample_id } }, body: { reason } })),
}

export const wordsApi = {
  words: (query: WordQuery) => answerOf(routes.GET('/api/audit/words', { params: { query } })),
  trend: (query: WordQuery & { word: string }) => answerOf(routes.GET('/api/audit/words/trend', { params: { query } })),
  topics: (query: WordQuery) => answerOf(routes.GET('/api/audit/words/topics', { params: { query } })),
  mood: (query: WordQuery) => answerOf(routes.GET('/api/audit/words/mood', { params: { query } })),
  addTopic: (body: Schemas['TopicInput']) => answerOf(routes.POST('/api/audit/words/topics', { body })),
  changeTopic: (topic_id: number, body: Schemas['TopicInput']) => answerOf(routes.PATCH('/api/audit/words/topics/{topic_id}', { params: { path: { topic_id } }, body })),
  deleteTopic: (topic_id: number) => answerOf(routes.DELETE('/api/audit/words/topics/{topic_id}', { params: { path: { topic_id } } })),
  dictionary: () => answerOf(routes.GET('/api/audit/words/dictionary')),
  change: (body: Schemas['EntriesInput']) => answerOf(routes.POST('/api/audit/words/dictionary', { body })),
}
