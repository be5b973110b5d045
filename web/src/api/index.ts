/** Every call that the page makes, by name; paths, bodies and answers are checked against the service's description. */

import { answerOf, routes, upload } from './client'
import type { components } from './schema'
import type * as t from './types'

type Schemas = components['schemas']

const conversation = (conversation_id: number) => ({ params: { path: { conversation_id } } })
const message = (message_id: number) => ({ params: { path: { message_id } } })
const connection = (connection_id: number) => ({ params: { path: { connection_id } } })

export const api = {
  me: () => answerOf(routes.GET('/api/session')),
  signIn: (login: string, password: string) => answerOf(routes.POST('/api/session', { body: { login, password } })),
  signOut: () => answerOf(routes.DELETE('/api/session')),
  changeMe: (body: Schemas['MeInput']) => answerOf(routes.PATCH('/api/me', { body })),
  changePassword: (old_password: string, new_password: string) =>
    answerOf(routes.POST('/api/me/password', { body: { old_password, new_password } })),
  sessions: () => answerOf(routes.GET('/api/sessions')),
  endSession: (session_id: number) => answerOf(routes.DELETE('/api/sessions/{session_id}', { params: { path: { session_id } } })),
  tokens: () => answerOf(routes.GET('/api/tokens')),
  createToken: (name: string, expires_at: string | null) => answerOf(routes.POST('/api/tokens', { body: { name, expires_at } })),
  endToken: (token_id: number) => answerOf(routes.DELETE('/api/tokens/{token_id}', { params: { path: { token_id } } })),

  agents: () => answerOf(routes.GET('/api/agents')),
  addAgent: (body: Schemas['NewAgent']) => answerOf(routes.POST('/api/agents', { body })),
  changeAgent: (agent_id: number, body: Schemas['AgentInput']) =>
    answerOf(routes.PATCH('/api/agents/{agent_id}', { params: { path: { agent_id } }, body })),
  teams: () => answerOf(routes.GET('/api/teams')),

  accounts: () => answerOf(routes.GET('/api/accounts')),

  counts: () => answerOf(routes.GET('/api/conversations/counts')),
  messages: (conversation_id: number, query: { before?: number; limit?: number }) =>
    answerOf(routes.GET('/api/conversations/{conversation_id}/messages', { params: { path: { conversation_id }, query } })),
  changes: (conversation_id: number, since: number) =>
    answerOf(
      routes.GET('/api/conversations/{conversation_id}/changes', { params: { path: { conversation_id }, query: { since, limit: 500 } } }),
    ),
  send: (id: number, body: t.SendRequest) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/messages', { ...conversation(id), body })),
  markRead: (id: number, seq: number) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/read', { ...conversation(id), body: { seq } })),
  assign: (id: number, agent_id: number | null) =>
    answerOf(routes.POST('/api/conversations/{conversation_id}/assign', { ...conversation(id), body: { agent_id } })),
  close: (id: number) => answerOf(routes.POST('/api/conversations/{conversation_id}/close', conversation(id))),
  reopen: (id: number) => answerOf(routes.POST('/api/conversations/{conversation_id}/reopen', conversation(id))),
  retry: (id: number) => answerOf(routes.POST('/api/messages/{message_id}/retry', message(id))),
  settle: (id: number, outcome: 'sent' | 'failed') =>
    answerOf(routes.POST('/api/messages/{message_id}/settle', { ...message(id), body: { outcome } })),
  recall: (id: number) => answerOf(routes.POST('/api/messages/{message_id}/recall', message(id))),
  upload: (file: Blob, name: string, onProgress: (done: number) => void, signal: AbortSignal) =>
    upload<t.AttachmentView>('/api/uploads', file, name, onProgress, signal),

  customer: (customer_id: number) => answerOf(routes.GET('/api/customers/{customer_id}', { params: { path: { customer_id } } })),
  changeCustomer: (customer_id: number, body: Schemas['CustomerInput']) =>
    answerOf(routes.PATCH('/api/customers/{customer_id}', { params: { path: { customer_id } }, body })),

  connections: () => answerOf(routes.GET('/api/connections')),
  providers: () => answerOf(routes.GET('/api/providers')),
  addConnection: (body: Schemas['NewConnection']) => answerOf(routes.POST('/api/connections', { body })),
  changeConnection: (id: number, body: Schemas['ConnectionInput']) =>
    answerOf(routes.PATCH('/api/connections/{connection_id}', { ...connection(id), body })),
  testConnection: (id: number) => answerOf(routes.POST('/api/connections/{connection_id}/test', connection(id))),
  pauseConnection: (id: number) => answerOf(routes.POST('/api/connections/{connection_id}/pause', connection(id))),
  resumeConnection: (id: number) => answerOf(routes.POST('/api/connections/{connection_id}/resume', connection(id))),
  authorise: (id: number) => answerOf(routes.POST('/api/connections/{connection_id}/authorise', connection(id))),

  inboundEvents: (state: 'failed' | 'unrecognised', cursor: string | null) =>
    answerOf(routes.GET('/api/inbound-events', { params: { query: { state, cursor: cursor ?? undefined, limit: 50 } } })),
  inboundEvent: (event_id: number) => answerOf(routes.GET('/api/inbound-events/{event_id}', { params: { path: { event_id } } })),
  rerun: (body: Schemas['RerunInput']) => answerOf(routes.POST('/api/inbound-events/rerun', { body })),
  jobs: () => answerOf(routes.GET('/api/jobs', { params: { query: { state: 'failed' } } })),
  retryJob: (job_id: number) => answerOf(routes.POST('/api/jobs/{job_id}/retry', { params: { path: { job_id } } })),
}
