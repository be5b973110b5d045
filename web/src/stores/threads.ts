import { defineStore } from 'pinia'
import { ref, shallowRef, triggerRef } from 'vue'
import { api } from '@/api'
import { ApiError } from '@/api/client'
import type { ConversationPush, MessageView } from '@/api/types'
import {
  oldestSeq,
  repair,
  takeChanges,
  takeMessage,
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
  const catching = new Map<number, Promise<void>>()

  function changed(): void {
    triggerRef(threads)
  }

  async function open(id: number): Promise<void> {
    openId.value = id
    failed.value = without(failed.value, id)
    try {
      await (threads.value.has(id) ? catchUp(id) : load(id))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (!threads.value.has(id)) failed.value = new Map(failed.value).set(id, error)
    }
  }

  async function load(id: number): Promise<void> {
    const page = await api.messages(id, { limit: PAGE })
    inbox.takeView(page.conversation)
    const thread = threadFrom(page)
    threads.value.delete(id)
    threads.value.set(id, thread)
    for (const other of threads.value.keys()) {
      if (threads.value.size <= KEPT) break
      if (other !== openId.value) threads.value.delete(other)
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
      let since = takeOlder(thread, page)
      changed()
      while (since !== null) {
        const changes = await api.changes(id, since)
        repair(thread, changes.messages)
        since = changes.more ? changes.up_to_version : null
        changed()
      }
    } finally {
      loadingOlder.value = false
    }
  }

  function takePushed(push: ConversationPush): void {
    const thread = threads.value.get(push.conversation.id)
    if (!thread) return
    const outcome = takePush(thread, push)
    if (outcome === 'taken') changed()
    // A thread that is not open asks when it is opened again.
    if (outcome === 'behind' && thread.id === openId.value) void catchUp(thread.id).catch(() => undefined)
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
    open,
    loadOlder,
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
