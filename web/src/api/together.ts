/** Calls of working together: notes, snooze, labels, helpers, transfers, history, notices. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Preferences = Schemas['PreferencesView']
export type Ways = Schemas['Ways']
export type LabelColor = Schemas['LabelView']['color']

const conversation = (conversation_id: number) => ({ params: { path: { conversation_id } } })
const note = (message_id: number) => ({ params: { path: { message_id } } })

export const together = {
  addNote: (id: number, body: Schemas['NoteInput']) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/notes', { ...conversation(id), body })),
  editNote: (id: number, text: string, mention_ids: number[]) =>
    answerOf(routes.PATCH('/api/notes/{message_id}', { ...note(id), body: { text, mention_ids } })),
  deleteNote: (id: number) => answerOf(routes.DELETE('/api/notes/{message_id}', note(id))),

  snooze: (id: number, until: string | null) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/snooze', { ...conversation(id), body: { until } })),
  relabel: (id: number, add: number[], remove: number[]) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/labels', { ...conversation(id), body: { add, remove } })),
  helpers: (id: number, add: number[], remove: number[]) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/helpers', { ...conversation(id), body: { add, remove } })),
  transfer: (id: number, agent_id: number, text: string) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/transfer', { ...conversation(id), body: { agent_id, note: text } })),
  acceptTransfer: (id: number) => answerOf(routes.POST('/api/conversations/{conversation_id}/transfer/accept', conversation(id))),
  declineTransfer: (id: number, why: string) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/transfer/decline', { ...conversation(id), body: { why } })),
  cancelTransfer: (id: number) => answerOf(routes.POST('/api/conversations/{conversation_id}/transfer/cancel', conversation(id))),

  history: (conversation_id: number, before: number | null) =>
    answerOf(
      routes.GET('/api/conversations/{conversation_id}/events', {
        params: { path: { conversation_id }, query: { before: before ?? undefined } },
      }),
    ),
  messagesAt: (conversation_id: number, query: { before?: number; after?: number; around?: number; limit?: number }) =>
    answerOf(routes.GET('/api/conversations/{conversation_id}/messages', { params: { path: { conversation_id }, query } })),
  search: (conversation_id: number, q: string) =>
    answerOf(routes.GET('/api/conversations/{conversation_id}/search', { params: { path: { conversation_id }, query: { q } } })),
  firstSince: (conversation_id: number, since: string) =>
    answerOf(routes.GET('/api/conversations/{conversation_id}/search', { params: { path: { conversation_id }, query: { since } } })),

  labels: () => answerOf(routes.GET('/api/labels')),
  addLabel: (body: Schemas['NewLabel']) => answerOf(routes.POST('/api/labels', { body })),
  changeLabel: (label_id: number, body: Schemas['LabelInput']) =>
    answerOf(routes.PATCH('/api/labels/{label_id}', { params: { path: { label_id } }, body })),
  transferSettings: () => answerOf(routes.GET('/api/settings/transfer')),
  changeTransferSettings: (acceptance: boolean) => answerOf(routes.PATCH('/api/settings/transfer', { body: { acceptance } })),

  notifications: (before: number | null) =>
    answerOf(routes.GET('/api/notifications', { params: { query: { before: before ?? undefined, limit: 30 } } })),
  markRead: (body: Schemas['NoticesRead']) => answerOf(routes.POST('/api/notifications/read', { body })),
  preferences: () => answerOf(routes.GET('/api/me/preferences')),
  changePreferences: (body: Schemas['PreferencesInput']) => answerOf(routes.PATCH('/api/me/preferences', { body })),
}
