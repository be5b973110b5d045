/** Calls about campaigns: written, tried out, led through their life. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type CampaignRow = Schemas['CampaignRow']
export type CampaignPage = Schemas['CampaignPage']
export type Campaign = Schemas['CampaignView']
export type CampaignState = CampaignRow['state']
export type Act = Campaign['may'][number]
export type CampaignRun = NonNullable<CampaignRow['last_run']>
export type CampaignChannel = Schemas['CampaignChannel']
export type CampaignChannels = Schemas['CampaignChannels']
export type ChannelWay = Schemas['ChannelWay']
export type CampaignCalendar = Schemas['CampaignCalendar']
export type CalendarEntry = Schemas['CalendarEntry']
export type DryRun = Schemas['DryRun']
export type DryPerson = Schemas['DryPerson']
export type Dates = Schemas['DatesView']
export type Problem = Schemas['Problem']
export type Posts = Schemas['PostsView']
export type PostsInput = Schemas['PostsInput']
export type NewCampaign = Schemas['NewCampaign']
export type CampaignChange = Schemas['CampaignChange']
export type Audience = Campaign['audience']
export type Schedule = Campaign['schedule']
export type Options = Campaign['options']
export type RunLine = Schemas['RunLine']
export type RunProgress = Schemas['RunProgress']
export type Delivery = Schemas['DeliveryView']
export type DeliveryState = Delivery['state']
export type Compared = Schemas['Compared']

const of = (campaign_id: number) => ({ params: { path: { campaign_id } } })

export const campaignsApi = {
  list: (query: { kind?: CampaignRow['kind']; state?: string; text?: string; mine?: boolean; cursor?: string }) =>
    answerOf(routes.GET('/api/campaigns', { params: { query: { kind: 'message', ...query } } })),
  one: (id: number) => answerOf(routes.GET('/api/campaigns/{campaign_id}', of(id))),
  add: (body: NewCampaign) => answerOf(routes.POST('/api/campaigns', { body })),
  change: (id: number, body: CampaignChange) => answerOf(routes.PATCH('/api/campaigns/{campaign_id}', { ...of(id), body })),
  delete: (id: number) => answerOf(routes.DELETE('/api/campaigns/{campaign_id}', of(id))),
  copy: (id: number) => answerOf(routes.POST('/api/campaigns/{campaign_id}/copy', of(id))),
  submit: (campaign_id: number, version: number) =>
    answerOf(routes.POST('/api/campaigns/{campaign_id}/submit', { params: { path: { campaign_id }, query: { version } } })),
  decide: (id: number, body: { approve: boolean; note: string; version: number }) =>
    answerOf(routes.POST('/api/campaigns/{campaign_id}/decide', { ...of(id), body })),
  withdraw: (id: number) => answerOf(routes.POST('/api/campaigns/{campaign_id}/withdraw', of(id))),
  pause: (id: number) => answerOf(routes.POST('/api/campaigns/{campaign_id}/pause', of(id))),
  resume: (id: number) => answerOf(routes.POST('/api/campaigns/{campaign_id}/resume', of(id))),
  cancel: (id: number) => answerOf(routes.POST('/api/campaigns/{campaign_id}/cancel', of(id))),
  test: (id: number, agent_ids: number[], channel: string) =>
    answerOf(routes.POST('/api/campaigns/{campaign_id}/test', { ...of(id), body: { agent_ids, channel } })),
  problems: async (id: number) => (await answerOf(routes.GET('/api/campaigns/{campaign_id}/problems', of(id)))).problems,
  channels: () => answerOf(routes.GET('/api/campaigns/channels')),
  dates: (schedule: Schedule) => answerOf(routes.POST('/api/campaigns/dates', { body: { schedule } as never })),
  calendar: (first: string, last: string) => answerOf(routes.GET('/api/campaigns/calendar', { params: { query: { first, last } } })),

  dryRun: (id: number) => answerOf(routes.POST('/api/campaigns/{campaign_id}/dry-run', of(id))),
  dryPeople: (campaign_id: number, query: { reason?: string; account_id?: number; cursor?: number }) =>
    answerOf(routes.GET('/api/campaigns/{campaign_id}/dry-run/people', { params: { path: { campaign_id }, query } })),

  runs: async (id: number) => (await answerOf(routes.GET('/api/campaigns/{campaign_id}/runs', of(id)))).runs,
  run: (run_id: number) => answerOf(routes.GET('/api/campaign-runs/{run_id}', { params: { path: { run_id } } })),
  deliveries: (run_id: number, query: { state?: DeliveryState; reason?: string; account_id?: number; cursor?: number }) =>
    answerOf(routes.GET('/api/campaign-runs/{run_id}/deliveries', { params: { path: { run_id }, query } })),
  retry: (run_id: number) => answerOf(routes.POST('/api/campaign-runs/{run_id}/retry', { params: { path: { run_id } } })),
  remind: (run_id: number) => answerOf(routes.POST('/api/campaign-runs/{run_id}/remind', { params: { path: { run_id } } })),
  compare: async (ids: number[]) => (await answerOf(routes.GET('/api/campaigns/compare', { params: { query: { ids: ids.join(',') } } }))).campaigns,
}

export const sheetOf = (run_id: number, format: 'xlsx' | 'csv'): string => `/api/campaign-runs/${run_id}/export?format=${format}`
