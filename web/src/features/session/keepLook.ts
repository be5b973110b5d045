import { watch } from 'vue'
import { rights } from '@/api/rights'
import { usePreferences } from '@/stores/preferences'
import { useSession } from '@/stores/session'

/** How somebody likes the page is kept with the service: taken over when they sign in, told when they change it. */
export function useKeptLook(): void {
  const session = useSession()
  const preferences = usePreferences()

  watch(
    () => session.me?.look,
    (look) => preferences.take(look ?? null),
    { immediate: true },
  )
  watch(
    () => [preferences.theme, preferences.sendKey, preferences.density, preferences.timeFormat] as const,
    ([theme, send_key, density, time_format]) => {
      const me = session.me
      if (!me || me.unfinished) return
      const held = me.look
      if (held && held.theme === theme && held.send_key === send_key && held.density === density && held.time_format === time_format) return
      const wanted = { theme, send_key, density, time_format }
      me.look = wanted
      // What is not kept there is kept in this browser, and told with the next change.
      rights.changeLook(wanted).catch(() => undefined)
    },
  )
}
