import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Push } from '@/api/types'
import { Connection, type ConnectionState } from '@/live/connection'
import { onAccounts } from '@/live/pushes/accounts'
import { onAttendance } from '@/live/pushes/attendance'
import { onConversation } from '@/live/pushes/conversation'
import { onCounts } from '@/live/pushes/counts'
import { onAlerts } from '@/live/pushes/alerts'
import { onCampaign } from '@/live/pushes/campaign'
import { onCustomer } from '@/live/pushes/customer'
import { onDraft } from '@/live/pushes/draft'
import { onHello } from '@/live/pushes/hello'
import { onGone } from '@/live/pushes/gone'
import { onLabels } from '@/live/pushes/labels'
import { onNotifications } from '@/live/pushes/notifications'
import { onResync } from '@/live/pushes/resync'
import { onTasks } from '@/live/pushes/tasks'
import { onViewers } from '@/live/pushes/viewers'

/** The live connection, and what each push does. */
export const useLive = defineStore('live', () => {
  const state = shallowRef<ConnectionState>({ phase: 'idle' })
  /** True from the end of a snapshot until the next loss: what is in sight is what the service has. */
  const level = ref(false)
  const everLevel = ref(false)
  const networkOnline = ref(navigator.onLine)
  let connection: Connection | null = null
  const arrived: Push[] = []
  // Each snapshot has a number: one that began before a loss must not declare the page level after it.
  let snapshot = 0
  let onEnded: () => void = () => undefined

  const offline = computed(() => state.value.phase !== 'idle' && state.value.phase !== 'ended' && !level.value)

  function start(whenEnded: () => void): void {
    onEnded = whenEnded
    connection?.stop()
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    connection = new Connection({
      url: `${scheme}://${location.host}/ws`,
      onFrame: receive,
      onState: (next) => {
        state.value = next
        if (next.phase !== 'open') {
          snapshot += 1
          level.value = false
        }
        if (next.phase === 'ended') onEnded()
      },
    })
    connection.start()
  }

  function stop(): void {
    connection?.stop()
    connection = null
    level.value = false
    everLevel.value = false
  }

  /** Pushes are taken in small batches: a burst of hundreds a second draws the page some dozens of times, not hundreds. */
  function receive(push: Push): void {
    arrived.push(push)
    if (arrived.length === 1) setTimeout(handleArrived, 16)
  }

  function handleArrived(): void {
    for (const push of arrived.splice(0)) handle(push)
  }

  function handle(push: Push): void {
    switch (push.type) {
      case 'hello':
        return catchUp(() => onHello(push))
      case 'resync':
        return catchUp(onResync)
      case 'conversation':
        return onConversation(push)
      case 'counts':
        return onCounts(push)
      case 'accounts':
        return void onAccounts().catch(() => undefined)
      case 'attendance':
        return onAttendance(push)
      case 'labels':
        return void onLabels().catch(() => undefined)
      case 'customer':
        return onCustomer(push)
      case 'alerts':
        return onAlerts(push)
      case 'campaign':
        return onCampaign(push)
      case 'draft':
        return onDraft(push)
      case 'viewers':
        return onViewers(push)
      case 'notifications':
        return onNotifications(push)
      case 'tasks':
        return onTasks(push)
      case 'gone':
        return onGone(push)
    }
  }

  function catchUp(read: () => Promise<void>): void {
    snapshot += 1
    const mine = snapshot
    read().then(
      () => {
        if (mine !== snapshot) return
        level.value = true
        everLevel.value = true
        connection?.settled()
      },
      () => {
        if (mine === snapshot) connection?.startOver()
      },
    )
  }

  /** To the service, for a moment: what is looked at, what is being written. */
  function say(what: Record<string, unknown>): void {
    connection?.say(what)
  }

  function nudge(): void {
    connection?.nudge()
  }

  window.addEventListener('online', () => {
    networkOnline.value = true
    nudge()
  })
  window.addEventListener('offline', () => {
    networkOnline.value = false
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') nudge()
  })

  return { state, level, everLevel, offline, networkOnline, start, stop, say, nudge }
})
