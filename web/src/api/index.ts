/** Every call that the page makes, by name. */

import { get, patch, post, remove, upload } from './client'
import type * as t from './types'

export type View = 'mine' | 'unassigned' | 'all' | 'closed'

export interface ListQuery {
  view: View
  account_id?: number
  unread?: boolean
  waiting?: boolean
}

export const api = {
  me: () => get<t.Me>('/api/session'),
  signIn: (login: string, password: string) => post<t.Me>('/api/session', { login, password }),
  signOut: () => remove('/api/session'),
  changeMe: (change: { language?: t.Language; name?: string }) => patch<t.Me>('/api/me', change),
  changePassword: (old_password: string, new_password: string) =>
    post<void>('/api/me/password', { old_password, new_password }),
  sessions: () => get<{ sessions: t.SessionView[] }>('/api/sessions'),
  endSession: (id: number) => remove(`/api/sessions/${id}`),
  tokens: () => get<{ tokens: t.TokenView[] }>('/api/tokens'),
  createToken: (name: string, expires_at: string | null) =>
    post<t.NewToken>('/api/tokens', expires_at === null ? { name } : { name, expires_at }),
  endToken: (id: number) => remove(`/api/tokens/${id}`),

  agents: () => get<{ agents: t.AgentView[] }>('/api/agents'),
  addAgent: (agent: object) => post<t.AgentView>('/api/agents', agent),
  changeAgent: (id: number, change: object) => patch<t.AgentView>(`/api/agents/${id}`, change),
  teams: () => get<{ teams: t.TeamView[] }>('/api/teams'),

  accounts: () => get<t.AccountList>('/api/accounts'),
  changeAccount: (id: number, change: object) => patch<t.AccountView>(`/api/accounts/${id}`, change),

  conversations: (query: ListQuery, cursor: string | null, limit: number) =>
    get<t.ConversationPage>('/api/conversations', { ...query, cursor, limit }),
  counts: () => get<t.CountsView>('/api/conversations/counts'),
  conversation: (id: number) => get<t.ConversationView>(`/api/conversations/${id}`),
  messages: (id: number, query: { before?: number; after?: number; limit?: number }) =>
    get<t.MessagePage>(`/api/conversations/${id}/messages`, query),
  changes: (id: number, since: number) => get<t.ChangesPage>(`/api/conversations/${id}/changes`, { since, limit: 500 }),
  send: (id: number, request: t.SendRequest) => post<t.MessageView>(`/api/conversations/${id}/messages`, request),
  markRead: (id: number, seq: number) => post<t.ConversationView>(`/api/conversations/${id}/read`, { seq }),
  assign: (id: number, agent_id: number | null) =>
    post<t.ConversationView>(`/api/conversations/${id}/assign`, { agent_id }),
  close: (id: number) => post<t.ConversationView>(`/api/conversations/${id}/close`),
  reopen: (id: number) => post<t.ConversationView>(`/api/conversations/${id}/reopen`),
  retry: (id: number) => post<t.MessageView>(`/api/messages/${id}/retry`),
  settle: (id: number, outcome: 'sent' | 'failed') => post<t.MessageView>(`/api/messages/${id}/settle`, { outcome }),
  recall: (id: number) => post<t.MessageView>(`/api/messages/${id}/recall`),
  upload: (file: Blob, name: string, onProgress: (done: number) => void, signal: AbortSignal) =>
    upload<t.AttachmentView>('/api/uploads', file, name, onProgress, signal),

  customer: (id: number) => get<t.CustomerView>(`/api/customers/${id}`),
  changeCustomer: (id: number, change: object) => patch<t.CustomerView>(`/api/customers/${id}`, change),

  connections: () => get<{ connections: t.ConnectionView[] }>('/api/connections'),
  providers: () => get<{ providers: t.ProviderView[] }>('/api/providers'),
  addConnection: (connection: object) => post<t.ConnectionView>('/api/connections', connection),
  changeConnection: (id: number, change: object) => patch<t.ConnectionView>(`/api/connections/${id}`, change),
  testConnection: (id: number) => post<Record<string, unknown>>(`/api/connections/${id}/test`),
  pauseConnection: (id: number) => post<t.ConnectionView>(`/api/connections/${id}/pause`),
  resumeConnection: (id: number) => post<t.ConnectionView>(`/api/connections/${id}/resume`),
  authorise: (id: number) => post<{ url: string }>(`/api/connections/${id}/authorise`),

  inboundEvents: (state: string, cursor: string | null) =>
    get<{ events: t.InboundEventView[]; next_cursor: string | null }>('/api/inbound-events', { state, cursor, limit: 50 }),
  inboundEvent: (id: number) => get<t.InboundEventDetail>(`/api/inbound-events/${id}`),
  rerun: (which: { ids?: number[]; state?: string }) => post<{ count: number }>('/api/inbound-events/rerun', which),
  jobs: () => get<{ jobs: t.JobView[] }>('/api/jobs', { state: 'failed' }),
  retryJob: (id: number) => post<t.JobView>(`/api/jobs/${id}/retry`),
}
