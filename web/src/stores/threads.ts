import { defineStore } from 'pinia'
import { ref, shallowRef, triggerRef } from 'vue'
import { api } from '@/api'
import { ApiError } from '@/api/client'
import type { ConversationPush, MessagePage, MessageView } from '@/api/types'
import { together } from '@/api/together'
import {
  newestSeq,
  oldestSeq,
  ordered,
  repair,
  takeChanges,
  takeMessage,
  takeNewer,
  takeOlder,
  takePush,
  threadFrom,
  type Thread,
} from '@/model/thread'
import { useInbox } from './inbox'

const PAGE = 50
/** More changes than this many pages of 500 are not worth replaying: the thread is read anew. */
const CHANGE_PAGES = 6
const KEPT = 12

/** The threads that the page holds: the open one, and some that were open lately. */
export const useThreads = defineStore('threads', () => {
  const inbox = useInbox()
  const threads = shallowRef(new Map<number, Thread>())
  const openId = ref<number | null>(null)
  const failed = shallowRef(new Map<number, ApiError>())
  const loadingOlder = ref(false)
  const loadingNewer = ref(false)
  /** Threads that are shown inside the open one: they are kept level as it is. */
  const beside = new Set<number>()
  const catching = new Map<number, Promise<void>>()

  function changed(): void {
    triggerRef(threads)
  }

  /** With `seq`: as a window around that message. */
  async function open(id: number, seq: number | null = null): Promise<void> {
    openId.value = id
    failed.value = without(failed.value, id)
    const held = threads.value.get(id)
    try {
      if (seq !== null) await show(id, seq)
      else await (held && !held.hasAfter ? catchUp(id) : load(id))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (!threads.value.has(id)) failed.value = new Map(failed.value).set(id, error)
    }
  }

  async function load(id: number): Promise<void> {
    await hold(await api.messages(id, { limit: PAGE }))
  }

  /** Makes the window hold message `seq`, with what is around it. */
  async function show(id: number, seq: number): Promise<void> {
    const held = threads.value.get(id)
    if (held && held.messages.size > 0 && seq >= oldestSeq(held) && seq <= newestSeq(held)) return
    await hold(await together.messagesAt(id, { around: seq, limit: PAGE }))
  }

  async function hold(page: MessagePage): Promise<void> {
    const id = page.conversation.id
    inbox.takeView(page.conversation)
    const thread = threadFrom(page)
    threads.value.delete(id)
    threads.value.set(id, thread)
    for (const other of threads.value.keys()) {
      if (threads.value.size <= KEPT) break
      if (other !== openId.value && !beside.has(other)) threads.value.delete(other)
    }
    changed()
    // Pushes that came while the page was under way found no thread to go to.
    if ((inbox.held.get(id)?.version ?? 0) > thread.version) await catchUp(id)
  }

  /** Asks for all changes since what the thread knows. One run at a time; it goes on until it is level. */
  function catchUp(id: number): Promise<void> {
    const running = catching.get(id)
    if (running) return running
    const run = replay(id).finally(() => catching.delete(id))
    catching.set(id, run)
    return run
  }

  async function replay(id: number): Promise<void> {
    for (let pages = 0; pages < CHANGE_PAGES; pages += 1) {
      const thread = threads.value.get(id)
      if (!thread) return
      const page = await api.changes(id, thread.version)
      inbox.takeView(page.conversation)
      takeChanges(thread, page)
      changed()
      if (!page.more && (inbox.held.get(id)?.version ?? 0) <= thread.version) return
    }
    await load(id)
  }

  async function loadOlder(id: number, limit = PAGE): Promise<void> {
    const thread = threads.value.get(id)
    if (!thread?.hasBefore || loadingOlder.value) return
    loadingOlder.value = true
    try {
      const page = await api.messages(id, { before: oldestSeq(thread), limit })
      inbox.takeView(page.conversation)
      if (threads.value.get(id) !== thread) return
      await repairSince(thread, takeOlder(thread, page))
    } finally {
      loadingOlder.value = false
    }
  }

  async function loadNewer(id: number, limit = PAGE): Promise<void> {
    const thread = threads.value.get(id)
    if (!thread?.hasAfter || loadingNewer.value) return
    loadingNewer.value = true
    try {
      const page = await together.messagesAt(id, { after: newestSeq(thread), limit })
      inbox.takeView(page.conversation)
      if (threads.value.get(id) !== thread) return
      await repairSince(thread, takeNewer(thread, page))
    } finally {
      loadingNewer.value = false
    }
  }

  async function repairSince(thread: Thread, version: number | null): Promise<void> {
    changed()
    let since = version
    while (since !== null) {
      const changes = await api.changes(thread.id, since)
      repair(thread, changes)
      since = changes.more ? changes.up_to_version : null
      changed()
    }
  }

  /** Holds the end of another conversation, back to a moment, to be shown inside the open one. */
  async function holdBeside(id: number, since: string): Promise<void> {
    beside.add(id)
    if (!threads.value.has(id) || threads.value.get(id)?.hasAfter) await load(id)
    for (let pages = 0; pages < 20; pages += 1) {
      const thread = threads.value.get(id)
      const first = thread ? ordered(thread)[0] : undefined
      if (!thread?.hasBefore || !first || first.sent_at <= since) return
      const page = await api.messages(id, { before: oldestSeq(thread), limit: 200 })
      await repairSince(thread, takeOlder(thread, page))
    }
  }

  function dropBeside(): void {
    beside.clear()
  }

  async function toNewest(id: number): Promise<void> {
    if (threads.value.get(id)?.hasAfter) await load(id)
  }

  function takePushed(push: ConversationPush): void {
    const thread = threads.value.get(push.conversation.id)
    if (!thread) return
    const outcome = takePush(thread, push)
    if (outcome === 'taken') changed()
    // A thread that is not open asks when it is opened again.
    if (outcome === 'behind' && (thread.id === openId.value || beside.has(thread.id))) void catchUp(thread.id).catch(() => undefined)
  }

  /** The answer to an action on one message. */
  function takeAnswer(message: MessageView): void {
    const thread = threads.value.get(message.conversation_id)
    if (!thread) return
    takeMessage(thread, message)
    changed()
  }

  async function resync(): Promise<void> {
    if (openId.value === null) return
    if (threads.value.has(openId.value)) await catchUp(openId.value)
    else await open(openId.value)
    await Promise.all([...beside].filter((id) => threads.value.has(id)).map((id) => catchUp(id)))
  }

  /** It is out of our sight: nothing of it stays. */
  function forget(id: number): void {
    beside.delete(id)
    if (threads.value.delete(id)) changed()
    if (id === openId.value) failed.value = new Map(failed.value).set(id, new ApiError(403, 'forbidden', ''))
  }

  function leave(): void {
    openId.value = null
  }

  function clear(): void {
    threads.value = new Map()
    failed.value = new Map()
    openId.value = null
  }

  return {
    threads,
    openId,
    failed,
    loadingOlder,
    loadingNewer,
    open,
    show,
    loadOlder,
    loadNewer,
    toNewest,
    holdBeside,
    dropBeside,
    forget,
    takePushed,
    takeAnswer,
    resync,
    leave,
    clear,
  }
})

function without<K, V>(map: Map<K, V>, key: K): Map<K, V> {
  const copy = new Map(map)
  copy.delete(key)
  return copy
}
