/** Calls about posts in members' Moments, beside those that all campaigns have. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type MomentChannels = Schemas['MomentChannels']
export type MomentForecast = Schemas['MomentForecast']
export type MomentRun = Schemas['MomentRun']
export type MomentTask = Schemas['MomentTaskView']
export type MomentPost = Schemas['MomentPostView']
export type MomentPostState = MomentPost['state']
export type MomentReaction = Schemas['MomentReactionView']

const of = (run_id: number) => ({ path: { run_id } })

export const momentsApi = {
  channels: () => answerOf(routes.GET('/api/moments/channels')),
  forecast: (campaign_id: number) => answerOf(routes.POST('/api/campaigns/{campaign_id}/moment-forecast', { params: { path: { campaign_id } } })),
  run: (id: number) => answerOf(routes.GET('/api/moment-runs/{run_id}', { params: of(id) })),
  posts: (id: number, query: { state?: MomentPostState; cursor?: number }) =>
    answerOf(routes.GET('/api/moment-runs/{run_id}/posts', { params: { ...of(id), query } })),
  reactions: (id: number, query: { kind?: MomentReaction['kind']; account_id?: number; cursor?: number }) =>
    answerOf(routes.GET('/api/moment-runs/{run_id}/reactions', { params: { ...of(id), query } })),
  remind: (id: number) => answerOf(routes.POST('/api/moment-runs/{run_id}/remind', { params: of(id) })),
  withdraw: (id: number) => answerOf(routes.POST('/api/moment-runs/{run_id}/withdraw', { params: of(id) })),
  again: (task_id: number) => answerOf(routes.POST('/api/moment-tasks/{task_id}/again', { params: { path: { task_id } } })),
}

export const momentSheetOf = (run_id: number): string => `/api/moment-runs/${run_id}/export`
