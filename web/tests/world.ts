/** A small service in memory, after the same rules as the real one, for tests of merging. */

import type { ChangesPage, ConversationPush, ConversationView, EventView, MessagePage, MessageView } from '@/api/types'

/** Repeatable randomness. */
export function randomness(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export function conversationView(change: Partial<ConversationView> = {}): ConversationView {
  return {
    id: 1,
    version: 0,
    account_id: 1,
    channel: 'x',
    contact: { id: 1, customer_id: 1, external_id: 'wm1', name: '李小姐', avatar: '' },
    group: null,
    status: 'open',
    assignee_id: null,
    assigned_at: null,
    collaborator_ids: [],
    transfer_to: null,
    label_ids: [],
    snoozed_until: null,
    queued: false,
    sla: null,
    last_seq: 0,
    unread: 0,
    read_seq: 0,
    waiting_since: null,
    last_message_at: '2026-01-01T00:00:00Z',
    preview: '',
    preview_kind: '',
    preview_direction: '',
    window: null,
    can_send: true,
    service_state: '',
    service_reason: null,
    ...change,
  }
}

export function messageView(change: Partial<MessageView> = {}): MessageView {
  return {
    id: 1,
    conversation_id: 1,
    seq: 1,
    version: 1,
    direction: 'in',
    kind: 'text',
    text: '您好',
    content: {},
    attachments: [],
    state: 'received',
    reason: null,
    sender: { kind: 'customer', agent_id: null, id: 'wm1', name: '' },
    client_token: null,
    sent_at: '2026-01-01T00:00:00Z',
    created_at: '2026-01-01T00:00:00Z',
    recalled_at: null,
    recalled_by: null,
    removed_at: null,
    removed_for: null,
    recallable_until: null,
    ...change,
  }
}

/** Conversations and messages of the pretended service. Views are copies: nobody can reach into it. */
export class World {
  readonly conversations = new Map<number, ConversationView>()
  readonly messages = new Map<number, MessageView[]>()
  readonly events = new Map<number, EventView[]>()
  private minute = 0
  private lastMessageId = 0
  private lastEventId = 0

  constructor(count: number) {
    for (let id = 1; id <= count; id += 1) {
      this.conversations.set(id, conversationView({ id, last_message_at: this.time() }))
      this.messages.set(id, [])
      this.events.set(id, [])
    }
  }

  private time(): string {
    this.minute += 1
    return new Date(Date.UTC(2026, 0, 1) + this.minute * 60_000).toISOString()
  }

  view(id: number): ConversationView {
    const held = this.conversations.get(id)
    if (!held) throw new Error(`no conversation ${id}`)
    return { ...held }
  }

  private of(id: number): MessageView[] {
    return this.messages.get(id) ?? []
  }

  private change(id: number, update: (view: ConversationView) => void, touched: (version: number) => MessageView[]): ConversationPush {
    const view = this.view(id)
    const from = view.version
    view.version += 1
    const changed = touched(view.version)
    update(view)
    this.conversations.set(id, view)
    const events = this.eventsOf(id).filter((one) => one.version > from)
    return { type: 'conversation', conversation: { ...view }, messages: changed.map((one) => ({ ...one })), events, from_version: from }
  }

  eventsOf(id: number): EventView[] {
    return this.events.get(id) ?? []
  }

  arrive(id: number): ConversationPush {
    const at = this.time()
    return this.change(
      id,
      (view) => {
        view.last_seq += 1
        view.unread += 1
        view.last_message_at = at
        view.waiting_since ??= at
        view.status = 'open'
      },
      (version) => {
        this.lastMessageId += 1
        const message = messageView({ id: this.lastMessageId, conversation_id: id, seq: this.of(id).length + 1, version, sent_at: at })
        this.of(id).push(message)
        return [message]
      },
    )
  }

  recall(id: number, random: () => number): ConversationPush | null {
    const all = this.of(id)
    const at = Math.floor(random() * all.length)
    const before = all[at]
    if (!before) return null
    return this.change(
      id,
      () => undefined,
      (version) => {
        all[at] = { ...before, version, recalled_at: this.time(), recalled_by: 'customer', text: '' }
        return [all[at]]
      },
    )
  }

  read(id: number): ConversationPush {
    return this.change(id, (view) => Object.assign(view, { unread: 0, read_seq: view.last_seq, waiting_since: null }), () => [])
  }

  close(id: number): ConversationPush {
    return this.happen(id, 'closed', { status: 'closed' })
  }

  /** Something besides a message: it stands after the newest one. */
  happen(id: number, kind: string, update: Partial<ConversationView> = {}): ConversationPush {
    return this.change(
      id,
      (view) => Object.assign(view, update),
      (version) => {
        this.lastEventId += 1
        const seq = this.view(id).last_seq
        this.eventsOf(id).push({ id: this.lastEventId, seq, version, at: this.time(), kind, agent_id: 1, data: {} })
        return []
      },
    )
  }

  assign(id: number, agent: number | null): ConversationPush {
    return this.change(id, (view) => Object.assign(view, { assignee_id: agent }), () => [])
  }

  newest(id: number, limit: number): MessagePage {
    return this.page(id, this.of(id).slice(-limit))
  }

  before(id: number, seq: number, limit: number): MessagePage {
    return this.page(id, this.of(id).filter((one) => one.seq < seq).slice(-limit))
  }

  after(id: number, seq: number, limit: number): MessagePage {
    return this.page(id, this.of(id).filter((one) => one.seq > seq).slice(0, limit))
  }

  around(id: number, seq: number, limit: number): MessagePage {
    const half = Math.floor(limit / 2)
    const from = Math.max(0, seq - 1 - half)
    return this.page(id, this.of(id).slice(from, from + limit))
  }

  private page(id: number, messages: MessageView[]): MessagePage {
    const has_before = (messages[0]?.seq ?? 1) > 1
    const has_after = (messages.at(-1)?.seq ?? this.of(id).length) < this.of(id).length
    const from = has_before ? (messages[0]?.seq ?? 0) : 0
    const to = has_after ? (messages.at(-1)?.seq ?? 0) : Number.POSITIVE_INFINITY
    return {
      conversation: this.view(id),
      messages: messages.map((one) => ({ ...one })),
      events: this.eventsOf(id).filter((one) => one.seq >= from && one.seq <= to),
      has_before,
      has_after,
    }
  }

  changes(id: number, since: number, limit: number): ChangesPage {
    const due = this.of(id)
      .filter((one) => one.version > since)
      .sort((a, b) => a.version - b.version)
    const messages = due.slice(0, limit).map((one) => ({ ...one }))
    const more = due.length > limit
    const conversation = this.view(id)
    const up_to_version = more ? (messages.at(-1)?.version ?? since) : conversation.version
    const events = this.eventsOf(id).filter((one) => one.version > since && one.version <= up_to_version)
    return { conversation, messages, events, more, up_to_version }
  }
}
