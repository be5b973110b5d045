import type { Audience, Campaign, CampaignChannel, Options, PostsInput, Schedule } from '@/api/campaigns'
import type { Content } from '@/api/codes'
import type { Group } from '@/api/lists'
import { emptyContent, fromContent, toContent, type DraftContent } from '@/features/codes/draft'

/** Everything of a campaign while it is written. `variants`: by channel. */
export interface Draft {
  name: string
  post: DraftContent
  variants: Record<string, DraftContent>
  audience: DraftAudience
  schedule: DraftSchedule
  options: Required<Options>
}

export interface DraftAudience {
  of: 'customers' | 'groups' | 'conversations'
  filter: Group
  segment_id: number | null
  list_id: number | null
  group_ids: number[]
  active_days: number | null
  channels: string[]
  account_ids: number[]
  tag_ids: number[]
  exclude: { complaints: boolean; contacted_days: number | null; campaign_ids: number[]; filter: Group | null; list_id: number | null }
}

export interface DraftSchedule {
  mode: 'now' | 'at' | 'recurring'
  at: string | null
  zone: string
  calendar: { every: 'day' | 'week' | 'month'; days: number[]; time: string } | null
  cron: string
  until: string | null
  times: number | null
  spread_minutes: number
  late_hours: number
  quiet: { begin: string; end: string } | null
}

export const emptyDraft = (zone: string): Draft => ({
  name: '',
  post: emptyContent(),
  variants: {},
  audience: {
    of: 'customers',
    filter: { match: 'all', parts: [] },
    segment_id: null,
    list_id: null,
    group_ids: [],
    active_days: null,
    channels: [],
    account_ids: [],
    tag_ids: [],
    exclude: { complaints: true, contacted_days: null, campaign_ids: [], filter: null, list_id: null },
  },
  schedule: {
    mode: 'now', at: null, zone, calendar: null, cron: '', until: null, times: null, spread_minutes: 0, late_hours: 6, quiet: { begin: '21:00', end: '09:00' },
  },
  options: { cap_times: null, cap_days: 7, confirm_days: 3, reply_days: 3, window_first: false },
})

export function fromCampaign(one: Campaign): Draft {
  const blank = emptyDraft(one.schedule.zone ?? 'Asia/Shanghai')
  const variants = Object.entries(one.posts.variants).map(([channel, said]) => [channel, fromContent(said as Content)])
  return {
    name: one.name,
    post: fromContent(one.posts.post as Content),
    variants: Object.fromEntries(variants) as Record<string, DraftContent>,
    audience: { ...blank.audience, ...(one.audience as unknown as DraftAudience) },
    schedule: { ...blank.schedule, ...(one.schedule as unknown as DraftSchedule) },
    options: { ...blank.options, ...one.options },
  }
}

export function toPosts(draft: Draft): PostsInput {
  return {
    post: toContent(draft.post),
    variants: Object.fromEntries(Object.entries(draft.variants).map(([channel, said]) => [channel, toContent(said)])),
  }
}

/** What the service takes, every part of it. */
export function toInput(draft: Draft): { name: string; posts: PostsInput; audience: Audience; schedule: Schedule; options: Options } {
  return {
    name: draft.name.trim(),
    posts: toPosts(draft),
    audience: draft.audience as unknown as Audience,
    schedule: draft.schedule as unknown as Schedule,
    options: draft.options,
  }
}

export const wordsOf = (draft: Draft, channel: string): DraftContent => draft.variants[channel] ?? draft.post
export const saidNothing = (content: DraftContent): boolean => !content.text.trim() && content.parts.length === 0

/** What was saved, with what was written meanwhile. `sent`: as it was when the saving began; kept files have new places now. */
export function mergeDraft(now: Draft, sent: Draft, saved: Draft): Draft {
  const changed = (key: keyof Draft): boolean => JSON.stringify(now[key]) !== JSON.stringify(sent[key])
  const pick = <K extends keyof Draft>(key: K): Draft[K] => (changed(key) ? now[key] : saved[key])
  return {
    name: changed('name') ? now.name : saved.name,
    post: mergeContent(now.post, sent.post, saved.post),
    variants: Object.fromEntries(Object.entries(now.variants).map(([name, content]) => [name, mergeContent(content, sent.variants[name], saved.variants[name])])),
    audience: pick('audience'),
    schedule: pick('schedule'),
    options: pick('options'),
  }
}

function mergeContent(now: DraftContent, sent?: DraftContent, saved?: DraftContent): DraftContent {
  if (!sent || !saved) return now
  const parts = now.parts.map((part) => {
    const kept = saved.parts[sent.parts.findIndex((one) => one.key === part.key)]
    return kept ? { ...kept, key: part.key, content: part.content } : part
  })
  return { text: now.text === sent.text ? saved.text : now.text, parts, unnamed: now.unnamed === sent.unnamed ? saved.unnamed : now.unnamed }
}

/** The channels that may be taken, the first choice first: those that are named, with one of the accounts that are named. */
export function channelsFor(audience: { channels?: string[]; account_ids?: number[] }, all: CampaignChannel[]): CampaignChannel[] {
  const { channels = [], account_ids = [] } = audience
  const named = channels.length > 0 ? channels.flatMap((name) => all.filter((one) => one.channel === name)) : all
  return account_ids.length > 0 ? named.filter((one) => one.accounts.some((account) => account_ids.includes(account.id))) : named
}
