/**
 * What the service says. The shapes come from its own description (`npm run api` writes `schema.d.ts`); only what the socket
 * carries is named here by hand, since the description covers HTTP alone. Times are ISO 8601 in UTC.
 */

import type { components } from './schema'

type Schemas = components['schemas']

export type SentenceView = Schemas['SentenceView']
export type WindowView = Schemas['WindowView']
export type PersonView = Schemas['PersonView']
export type ConversationView = Schemas['ConversationView']
export type AttachmentView = Schemas['AttachmentView']
export type MessageView = Schemas['MessageView']
export type EventView = Schemas['EventView']
export type ConversationPage = Schemas['ConversationPage']
export type MessagePage = Schemas['MessagePage']
export type ChangesPage = Schemas['ChangesPage']
export type Tally = Schemas['Tally']
export type CountsView = Schemas['CountsView']
export type ChannelView = Schemas['ChannelView']
export type AccountView = Schemas['AccountView']
export type AgentView = Schemas['AgentView']
export type TeamView = Schemas['TeamView']
export type Me = Schemas['Me']
export type SessionView = Schemas['SessionView']
export type TokenView = Schemas['TokenView']
export type NewToken = Schemas['NewToken']
export type CustomerView = Schemas['CustomerView']
export type ConnectionView = Schemas['ConnectionView']
export type ProviderView = Schemas['ProviderView']
export type InboundEventView = Schemas['InboundEventView']
export type InboundEventDetail = Schemas['InboundEventDetail']
export type JobView = Schemas['JobView']
/** The body of a send. */
export type SendRequest = Schemas['Draft']
export type Kind = Schemas['Kind']
export type Role = AgentView['role']
export type Language = AgentView['language']

/** Messages changed after `from_version`; a thread that is behind it asks for the changes instead. */
export interface ConversationPush {
  type: 'conversation'
  conversation: ConversationView
  messages: MessageView[]
  events: EventView[]
  from_version: number
}

export type NotificationView = Schemas['NotificationView']
export type NotificationPage = Schemas['NotificationPage']
export type LabelView = Schemas['LabelView']

/** Who else looks at a conversation, and who of them is writing an answer or a note. */
export interface Viewer {
  agent_id: number
  typing: '' | 'reply' | 'note'
}

export interface ViewersPush {
  type: 'viewers'
  conversation_id: number
  viewers: Viewer[]
}

export interface CountsPush {
  type: 'counts'
  counts: CountsView
}

/** Everything that can arrive on the socket. */
export type Push =
  | { type: 'hello'; agent_id: number; server_time: string }
  | ConversationPush
  | CountsPush
  | { type: 'accounts' }
  | { type: 'customer'; customer_id: number }
  | { type: 'campaign'; campaign_id: number }
  | { type: 'alerts'; counts: Schemas['AlertCounts'] }
  | { type: 'labels' }
  | { type: 'attendance'; agents: Schemas['AttendanceView'][] }
  | { type: 'gone'; conversation_id: number }
  | { type: 'notifications'; page: NotificationPage }
  | ViewersPush
  | { type: 'draft'; draft: Schemas['DraftView'] }
  | { type: 'tasks'; counts: Schemas['TaskCounts'] }
  | { type: 'resync' }
  | { type: 'pong' }
