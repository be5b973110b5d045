/**
 * What the service says, field by field: the same shapes as `inbox/views.py`. Times are ISO 8601 in UTC.
 */

export interface SentenceView {
  code: string
  zh: string
  en: string
}

export interface WindowView {
  kind: 'reply' | 'enter'
  opened_at: string
  expires_at: string
  quota: number
  used: number
}

export interface PersonView {
  id: number
  customer_id: number
  external_id: string
  name: string
  avatar: string
}

export interface GroupView {
  key: string
  name: string
}

export interface ConversationView {
  id: number
  version: number
  account_id: number
  channel: string
  contact: PersonView | null
  group: GroupView | null
  status: 'open' | 'closed'
  assignee_id: number | null
  last_seq: number
  unread: number
  read_seq: number
  waiting_since: string | null
  last_message_at: string
  preview: string
  preview_kind: string
  preview_direction: 'in' | 'out' | ''
  window: WindowView | null
  can_send: boolean
  service_state: string
  service_reason: SentenceView | null
}

export interface SenderView {
  kind: 'customer' | 'agent' | 'bot' | 'app' | 'system'
  agent_id: number | null
  id: string
  name: string
}

export interface AttachmentView {
  id: number
  kind: string
  state: 'pending' | 'stored' | 'failed' | 'expired'
  url: string
  name: string
  mime: string
  size: number
  width: number
  height: number
  duration_ms: number
  reason: SentenceView | null
}

export type MessageState = 'received' | 'queued' | 'sending' | 'sent' | 'failed' | 'uncertain'

export interface MessageView {
  id: number
  conversation_id: number
  seq: number
  version: number
  direction: 'in' | 'out'
  kind: string
  text: string
  content: Record<string, unknown>
  attachments: AttachmentView[]
  state: MessageState
  reason: SentenceView | null
  sender: SenderView
  client_token: string | null
  sent_at: string
  created_at: string
  recalled_at: string | null
  recalled_by: 'customer' | 'agent' | null
  recallable_until: string | null
}

export interface ConversationPage {
  conversations: ConversationView[]
  next_cursor: string | null
}

export interface MessagePage {
  conversation: ConversationView
  messages: MessageView[]
  has_before: boolean
  has_after: boolean
}

export interface ChangesPage {
  conversation: ConversationView
  messages: MessageView[]
  up_to_version: number
  more: boolean
}

export interface Tally {
  open: number
  unread: number
  waiting: number
}

export interface CountsView {
  mine: Tally
  unassigned: Tally
  all: Tally
  accounts: Record<string, Tally>
}

export interface ConversationPush {
  type: 'conversation'
  conversation: ConversationView
  messages: MessageView[]
  from_version: number
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
  | { type: 'resync' }
  | { type: 'pong' }

export interface MediaLimitView {
  max_bytes: number
  mime_types: string[]
}

export interface WindowRuleView {
  seconds: number
  quota: number
  rule: SentenceView
}

export interface ChannelView {
  channel: string
  title: SentenceView
  mark: string
  color: string
  sends: string[]
  read_only_reason: SentenceView | null
  text_limit: number
  text_limit_unit: 'bytes' | 'characters'
  links_allowed: boolean
  media: Record<string, MediaLimitView>
  window: WindowRuleView | null
  recall_seconds: number | null
  deduplicates_sends: boolean
}

export interface AccountView {
  id: number
  connection_id: number
  channel: string
  name: string
  avatar: string
  disabled: boolean
  welcome_text: string
}

export interface AccountList {
  accounts: AccountView[]
  channels: ChannelView[]
}

export type Role = 'rep' | 'manager' | 'marketer' | 'auditor' | 'admin'
export type Language = 'zh-CN' | 'en'

export interface AgentView {
  id: number
  login: string
  name: string
  avatar: string
  role: Role
  language: Language
  disabled: boolean
  team_ids: number[]
}

export interface TeamView {
  id: number
  name: string
  agent_ids: number[]
}

export interface Me {
  agent: AgentView
  permissions: string[]
  csrf_token: string
  server_time: string
  version: string
  demo: boolean
}

export interface SessionView {
  id: number
  user_agent: string
  address: string
  created_at: string
  seen_at: string
  current: boolean
}

export interface TokenView {
  id: number
  name: string
  created_at: string
  expires_at: string | null
  used_at: string | null
}

export interface NewToken {
  id: number
  name: string
  token: string
}

export interface CustomerContact {
  id: number
  external_id: string
  name: string
  avatar: string
  union_linked: boolean
  connection_name: string
  channel_titles: SentenceView[]
}

export interface CustomerEvent {
  id: number
  name: string
  at: string
  text: string | SentenceView
}

export interface CustomerView {
  id: number
  name: string
  avatar: string
  phone: string
  city: string
  remark: string
  owner_id: number | null
  created_at: string
  contacts: CustomerContact[]
  conversations: ConversationView[]
  events: CustomerEvent[]
}

export interface HealthView {
  last_event_at: string | null
  last_sent_at: string | null
  last_error_at: string | null
  last_error: SentenceView | null
  attention: SentenceView | null
  token_until: string | null
  person_by: string | null
  lag_seconds: number | null
  new_events: number
  failed_events: number
  queued_sends: number
}

export interface ConnectionView {
  id: number
  provider: string
  key: string
  name: string
  settings: Record<string, string>
  paused: boolean
  webhook_path: string
  health: HealthView
  accounts: AccountView[]
  authorises: boolean
}

export interface ProviderField {
  name: string
  label: SentenceView
  help: SentenceView
  secret: boolean
  required: boolean
  default: string
}

export interface ProviderView {
  name: string
  title: SentenceView
  fields: ProviderField[]
}

export interface InboundEventView {
  id: number
  connection_id: number
  source: string
  state: 'new' | 'done' | 'ignored' | 'unrecognised' | 'failed'
  attempts: number
  error: string | null
  received_at: string
  size: number
}

export interface InboundEventDetail extends InboundEventView {
  body_text: string
}

export interface JobView {
  id: number
  kind: string
  state: string
  attempts: number
  error: string | null
  run_at: string
  created_at: string
}

/** The body of a send. */
export interface SendRequest {
  client_token: string
  kind: string
  text?: string
  content?: Record<string, unknown>
  attachment_id?: number
}
