/** Calls about posts that are kept to be used again. */

import { answerOf, routes } from './client'
import type { PostsInput } from './campaigns'
import type { components } from './schema'

type Schemas = components['schemas']
export type SavedRow = Schemas['SavedRow']
export type Saved = Schemas['SavedContent']
export type SavedVersion = Schemas['SavedVersion']

const of = (content_id: number) => ({ params: { path: { content_id } } })

export const contentsApi = {
  list: (query: { text?: string; usable?: boolean; cursor?: string }) => answerOf(routes.GET('/api/campaign-contents', { params: { query } })),
  one: (id: number) => answerOf(routes.GET('/api/campaign-contents/{content_id}', of(id))),
  add: (body: { name: string; posts?: PostsInput; campaign_id?: number; expires_on?: string }) => answerOf(routes.POST('/api/campaign-contents', { body })),
  change: (id: number, body: { latest: number; name?: string; posts?: PostsInput; expires_on?: string; forever?: boolean }) =>
    answerOf(routes.PATCH('/api/campaign-contents/{content_id}', { ...of(id), body: { forever: false, ...body } })),
  approve: (id: number, version: number) => answerOf(routes.POST('/api/campaign-contents/{content_id}/approve', { ...of(id), body: { version } })),
  remove: (id: number) => answerOf(routes.DELETE('/api/campaign-contents/{content_id}', of(id))),
  use: (campaign_id: number, content_id: number, version: number) =>
    answerOf(routes.POST('/api/campaigns/{campaign_id}/use', { params: { path: { campaign_id } }, body: { content_id, version } })),
}
