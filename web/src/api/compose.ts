/** Calls of answering: several pieces, quick replies, materials, drafts, answers that leave later, macros. */

import { answerOf, routes, upload } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Part = Schemas['Piece']
export type PartView = Schemas['PartView']
export type QuickReply = Schemas['QuickReplyView']
export type QuickReplyInput = Schemas['QuickReplyInput']
export type FilledReply = Schemas['FilledReply']
export type Material = Schemas['MaterialView']
export type MaterialFolder = Schemas['FolderView']
export type DraftView = Schemas['DraftView']
export type Scheduled = Schemas['ScheduledView']
export type Macro = Schemas['MacroView']
export type MacroAction = Schemas['MacroAction']
export type RunResult = Schemas['RunResult']
export type ImportReport = Schemas['ImportReport']
export type Place = Schemas['Place']
export type Reach = Place['reach'] & string

const conversation = (conversation_id: number) => ({ params: { path: { conversation_id } } })
const reply = (reply_id: number) => ({ params: { path: { reply_id } } })
const scheduled = (scheduled_id: number) => ({ params: { path: { scheduled_id } } })
const folder = (folder_id: number) => ({ params: { path: { folder_id } } })
const macro = (macro_id: number) => ({ params: { path: { macro_id } } })

export interface ReplyQuery {
  q?: string
  reach?: Reach
  folder?: string
  limit?: number
  offset?: number
}

export interface MaterialQuery {
  q?: string
  reach?: Reach
  team_id?: number
  folder_id?: number
  top?: boolean
  kind?: string
  limit?: number
  offset?: number
}

export const compose = {
  company: () => answerOf(routes.GET('/api/company')),

  sendStack: (id: number, body: Schemas['Stack']) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/answers', { ...conversation(id), body })),

  replies: (query: ReplyQuery) => answerOf(routes.GET('/api/quick-replies', { params: { query } })),
  replyFolders: (reach?: Reach) => answerOf(routes.GET('/api/quick-replies/folders', { params: { query: { reach } } })),
  fill: (id: number, conversation_id: number) =>
    answerOf(routes.POST('/api/quick-replies/{reply_id}/fill', { ...reply(id), body: { conversation_id } })),
  addReply: (body: QuickReplyInput) => answerOf(routes.POST('/api/quick-replies', { body })),
  changeReply: (id: number, body: QuickReplyInput) => answerOf(routes.PATCH('/api/quick-replies/{reply_id}', { ...reply(id), body })),
  deleteReply: (id: number) => answerOf(routes.DELETE('/api/quick-replies/{reply_id}', reply(id))),
  importReplies: (file: File, dry: boolean, onProgress: (done: number) => void) =>
    upload<ImportReport>(`/api/quick-replies/import?dry=${dry ? 1 : 0}`, file, file.name, onProgress),

  materials: (query: MaterialQuery) => answerOf(routes.GET('/api/materials', { params: { query } })),
  addMaterial: (body: Schemas['NewMaterial']) => answerOf(routes.POST('/api/materials', { body })),
  changeMaterial: (material_id: number, body: Schemas['MaterialInput']) =>
    answerOf(routes.PATCH('/api/materials/{material_id}', { params: { path: { material_id } }, body })),
  moveMaterials: (ids: number[], folder_id: number | null) => answerOf(routes.POST('/api/materials/move', { body: { ids, folder_id } })),
  deleteMaterials: (ids: number[]) => answerOf(routes.POST('/api/materials/delete', { body: { ids } })),
  folders: () => answerOf(routes.GET('/api/material-folders')),
  addFolder: (body: Schemas['NewFolder']) => answerOf(routes.POST('/api/material-folders', { body })),
  changeFolder: (id: number, body: Schemas['FolderInput']) =>
    answerOf(routes.PATCH('/api/material-folders/{folder_id}', { ...folder(id), body })),
  deleteFolder: (id: number) => answerOf(routes.DELETE('/api/material-folders/{folder_id}', folder(id))),
  upload: (file: Blob, name: string, onProgress: (done: number) => void, signal?: AbortSignal) =>
    upload<Schemas['AttachmentView']>('/api/library/uploads', file, name, onProgress, signal),

  drafts: () => answerOf(routes.GET('/api/drafts')),
  saveDraft: (id: number, text: string, revision: number) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/draft', { ...conversation(id), body: { text, revision } })),

  scheduled: (id: number) => answerOf(routes.GET('/api/conversations/{conversation_id}/scheduled', conversation(id))),
  schedule: (id: number, body: Schemas['ScheduleInput']) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/scheduled', { ...conversation(id), body })),
  reschedule: (id: number, body: Schemas['RescheduleInput']) =>
    answerOf(routes.PATCH('/api/scheduled/{scheduled_id}', { ...scheduled(id), body })),
  cancelScheduled: (id: number) => answerOf(routes.POST('/api/scheduled/{scheduled_id}/cancel', scheduled(id))),

  macros: () => answerOf(routes.GET('/api/macros')),
  addMacro: (body: Schemas['MacroInput']) => answerOf(routes.POST('/api/macros', { body })),
  changeMacro: (id: number, body: Schemas['MacroInput']) => answerOf(routes.PATCH('/api/macros/{macro_id}', { ...macro(id), body })),
  deleteMacro: (id: number) => answerOf(routes.DELETE('/api/macros/{macro_id}', macro(id))),
  runMacro: (id: number, client_token: string, conversation_ids: number[]) =>
    answerOf(routes.POST('/api/macros/{macro_id}/run', { ...macro(id), body: { client_token, conversation_ids } })),
}
