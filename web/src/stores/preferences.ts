import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import type { Look } from '@/api/rights'
import type { Language } from '@/api/types'
import { setTimeFormat } from '@/ui/time'

export type Theme = 'auto' | 'light' | 'dark'
export type SendKey = 'enter' | 'ctrl-enter'

export type Density = 'comfortable' | 'compact'
export type TimeFormat = '24' | '12'

interface Stored {
  theme: Theme
  sendKey: SendKey
  density: Density
  timeFormat: TimeFormat
  language: Language
}

const KEY = 'scrm.preferences'

function stored(): Stored {
  const language: Language = /^zh/i.test(navigator.language) || !navigator.language ? 'zh-CN' : 'en'
  const fallback: Stored = { theme: 'auto', sendKey: 'enter', density: 'comfortable', timeFormat: '24', language }
  try {
    return { ...fallback, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Stored>) }
  } catch {
    return fallback
  }
}

/** What this browser remembers about how its user likes the page. */
export const usePreferences = defineStore('preferences', () => {
  const start = stored()
  const theme = ref<Theme>(start.theme)
  const sendKey = ref<SendKey>(start.sendKey)
  const density = ref<Density>(start.density)
  const timeFormat = ref<TimeFormat>(start.timeFormat)
  const language = ref<Language>(start.language)

  const systemDark = window.matchMedia('(prefers-color-scheme: dark)')
  const prefersDark = ref(systemDark.matches)
  systemDark.addEventListener('change', (event) => {
    prefersDark.value = event.matches
  })
  const dark = computed(() => (theme.value === 'auto' ? prefersDark.value : theme.value === 'dark'))

  watch([theme, sendKey, density, timeFormat, language], () => {
    try {
      localStorage.setItem(
        KEY,
        JSON.stringify({
          theme: theme.value,
          sendKey: sendKey.value,
          density: density.value,
          timeFormat: timeFormat.value,
          language: language.value,
        }),
      )
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  })
  watch(dark, (on) => document.documentElement.classList.toggle('dark', on), { immediate: true })

  watch(density, (wanted) => (document.documentElement.dataset.density = wanted), { immediate: true })
  watch(timeFormat, setTimeFormat, { immediate: true })

  /** What the service keeps for this agent, in every browser. */
  function take(look: Look | null): void {
    if (!look) return
    theme.value = look.theme
    sendKey.value = look.send_key
    density.value = look.density
    timeFormat.value = look.time_format
  }

  function toggleTheme(): void {
    theme.value = dark.value ? 'light' : 'dark'
  }

  return { theme, sendKey, density, timeFormat, language, dark, take, toggleTheme }
})
