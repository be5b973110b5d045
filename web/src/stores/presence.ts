import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Viewer, ViewersPush } from '@/api/types'
import { useLive } from './live'

const AGAIN = 3000

/** Who else looks at the open conversation, and telling others that we do. */
export const usePresence = defineStore('presence', () => {
  const looking = ref<number | null>(null)
  const told = shallowRef<ViewersPush | null>(null)
  let mode: Viewer['typing'] = ''
  let saidAt = 0
  let stop: ReturnType<typeof setTimeout> | undefined

  const viewers = computed(() => (told.value?.conversation_id === looking.value ? (told.value?.viewers ?? []) : []))

  /** The conversation in sight; a page in the background looks at nothing. */
  function look(id: number | null): void {
    looking.value = id
    mode = ''
    clearTimeout(stop)
    announce()
  }

  /** After a new connection the service has to hear it again. */
  function announce(): void {
    const conversation_id = document.visibilityState === 'visible' ? looking.value : null
    useLive().say({ type: 'viewing', conversation_id })
  }

  /** Called with every key stroke; said now and then, and once when it ends. */
  function typing(id: number, what: Viewer['typing']): void {
    if (id !== looking.value) return
    clearTimeout(stop)
    if (what) stop = setTimeout(() => typing(id, ''), AGAIN + 1500)
    const now = Date.now()
    if (what === mode && (!what || now - saidAt < AGAIN)) return
    mode = what
    saidAt = now
    useLive().say({ type: 'typing', conversation_id: id, mode: what })
  }

  function take(push: ViewersPush): void {
    told.value = push
  }

  document.addEventListener('visibilitychange', announce)

  return { viewers, look, announce, typing, take }
})
