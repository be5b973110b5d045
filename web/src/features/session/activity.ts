import { onBeforeUnmount, watch } from 'vue'
import { api } from '@/api'
import { useSession } from '@/stores/session'

const TELL_EVERY = 60_000

/** Where idle sessions end: whoever reads and scrolls without asking for anything is not idle, and the service hears of it. */
export function useActivity(): void {
  const session = useSession()
  let told = Date.now()

  function active(): void {
    if (Date.now() - told < TELL_EVERY) return
    told = Date.now()
    api.me().then(session.enter, () => undefined)
  }

  const events = ['pointerdown', 'keydown', 'wheel'] as const
  function stop(): void {
    for (const name of events) window.removeEventListener(name, active)
  }
  watch(
    () => (session.me?.idle_minutes ?? 0) > 0,
    (wanted) => {
      stop()
      if (wanted) for (const name of events) window.addEventListener(name, active, { passive: true })
    },
    { immediate: true },
  )
  onBeforeUnmount(stop)
}
