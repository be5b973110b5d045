import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { together, type Preferences, type Ways } from '@/api/together'
import type { ConversationPush, NotificationPage, NotificationView } from '@/api/types'
import { useClock } from './clock'
import { useInbox } from './inbox'
import { useSession } from './session'

/** The kinds that can be switched, in the order in which they are offered. `message` is told by the page, the others are rows. */
export const NOTICE_KINDS = [
  'message', 'mention', 'assigned', 'transfer_asked', 'transfer_declined', 'helper', 'woke', 'sla_warning', 'sla_breached', 'send_failed',
  'task_due', 'task_given', 'customer_given', 'customer_shared', 'customer_falling', 'customer_lost', 'customer_asked', 'customer_opted_out', 'handed_over', 'member_left',
  'invites_today', 'campaign_asked', 'campaign_approved', 'campaign_refused', 'campaign_missed', 'campaign_finished', 'campaign_test',
  'moment_reminder', 'quality_scored', 'quality_appealed', 'quality_decided', 'alert',
] as const

/** Something that just happened and makes itself known. */
export interface Alert {
  key: string
  kind: string
  conversationId: number | null
  seq: number | null
  notice: NotificationView | null
  push: ConversationPush | null
}

const ALL_WAYS: Ways = { popup: true, browser: true, sound: true, card: 'away' }
/** Older ones are no news any more (they were missed while we were away), only unread. */
const FRESH = 60_000

/** The notification centre, and how its owner wants to be told. */
export const useBell = defineStore('bell', () => {
  const session = useSession()
  const held = shallowRef(new Map<number, NotificationView>())
  const unread = ref(0)
  const more = ref(false)
  const loaded = ref(false)
  const loading = ref(false)
  const preferences = shallowRef<Preferences>({ kinds: {}, quiet_until: null, volume: 60 })
  const listeners = new Set<(alert: Alert) => void>()

  const list = computed(() => [...held.value.values()].sort((a, b) => b.id - a.id))
  const quiet = computed(() => {
    const until = preferences.value.quiet_until
    return until !== null && Date.parse(until ?? '') > useClock().quarter
  })

  function waysOf(kind: string): Ways {
    return preferences.value.kinds?.[kind] ?? ALL_WAYS
  }

  async function load(): Promise<void> {
    const [page, wishes] = await Promise.all([together.notifications(null), together.preferences()])
    preferences.value = wishes
    more.value = page.more
    take(page)
    loaded.value = true
  }

  async function loadMore(): Promise<void> {
    const last = list.value.at(-1)
    if (!last || !more.value || loading.value) return
    loading.value = true
    try {
      const page = await together.notifications(last.id)
      more.value = page.more
      merge(page.notifications)
    } finally {
      loading.value = false
    }
  }

  function take(page: NotificationPage): void {
    const known = held.value
    const now = Date.now() + session.clockOffset
    const fresh = loaded.value
      ? page.notifications.filter((one) => !known.has(one.id) && one.read_at === null && now - Date.parse(one.created_at) < FRESH)
      : []
    merge(page.notifications)
    unread.value = page.unread
    for (const notice of fresh.reverse()) {
      ring({ key: `n${notice.id}`, kind: notice.kind, conversationId: notice.conversation_id, seq: notice.seq, notice, push: null })
    }
  }

  function merge(notices: readonly NotificationView[]): void {
    const next = new Map(held.value)
    for (const notice of notices) next.set(notice.id, notice)
    held.value = next
  }

  /** A customer of mine wrote. Called before the push is taken, to tell what is new in it. */
  function heard(push: ConversationPush): void {
    const { conversation, messages } = push
    if (conversation.assignee_id !== session.agentId) return
    const before = useInbox().held.get(conversation.id)
    const from = before ? before.last_seq : push.conversation.last_seq - messages.length
    const fresh = messages.filter((one) => one.direction === 'in' && one.seq > from && one.recalled_at === null)
    const newest = fresh.at(-1)
    if (!newest) return
    ring({ key: `m${newest.id}`, kind: 'message', conversationId: conversation.id, seq: newest.seq, notice: null, push })
  }

  function ring(alert: Alert): void {
    if (quiet.value) return
    for (const hear of listeners) hear(alert)
  }

  function onAlert(hear: (alert: Alert) => void): () => void {
    listeners.add(hear)
    return () => listeners.delete(hear)
  }

  async function read(ids: number[]): Promise<void> {
    const fresh = ids.filter((id) => held.value.get(id)?.read_at === null)
    if (fresh.length > 0) take(await together.markRead({ ids: fresh }))
  }

  async function readAll(): Promise<void> {
    const newest = list.value[0]
    if (!newest) return
    const page = await together.markRead({ up_to: newest.id })
    const at = new Date(Date.now() + session.clockOffset).toISOString()
    merge(list.value.filter((one) => one.read_at === null && one.id <= newest.id).map((one) => ({ ...one, read_at: at })))
    take(page)
  }

  /** Opening a conversation is reading what was said about it. */
  async function readOf(conversationId: number): Promise<void> {
    if (list.value.some((one) => one.conversation_id === conversationId && one.read_at === null)) {
      take(await together.markRead({ conversation_id: conversationId }))
    }
  }

  async function change(wishes: Partial<Preferences>): Promise<void> {
    preferences.value = await together.changePreferences(wishes)
  }

  function clear(): void {
    held.value = new Map()
    unread.value = 0
    loaded.value = false
    more.value = false
  }

  return {
    list, unread, more, loaded, loading, preferences, quiet,
    waysOf, load, loadMore, take, heard, onAlert, read, readAll, readOf, change, clear,
  }
})
