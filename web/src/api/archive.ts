/** Calls about reading the chat archives. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Archive = Schemas['ArchiveView']
export type ArchivePeople = Schemas['ArchivePeople']
export type ArchiveRecord = Schemas['ArchiveRecordView']

const of = (connection_id: number) => ({ params: { path: { connection_id } } })

export const archiveApi = {
  list: async () => (await answerOf(routes.GET('/api/archives'))).archives,
  people: (id: number) => answerOf(routes.GET('/api/archives/{connection_id}/people', of(id))),
  addKey: (id: number, version: number, private_key: string) =>
    answerOf(routes.POST('/api/archives/{connection_id}/keys', { ...of(id), body: { version, private_key } })),
  pull: (id: number) => answerOf(routes.POST('/api/archives/{connection_id}/pull', of(id))),
  open: async (id: number) => (await answerOf(routes.POST('/api/archives/{connection_id}/open', of(id)))).count,
  failed: (connection_id: number, cursor?: string) =>
    answerOf(routes.GET('/api/archives/{connection_id}/records', { params: { path: { connection_id }, query: { state: 'failed' as const, cursor } } })),
}
