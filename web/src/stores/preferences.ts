import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import type { Language } from '@/api/types'

export type Theme = 'auto' | 'light' | 'dark'
export type SendKey = 'enter' | 'ctrl-enter'

interface Stored {
  theme: Theme
  sendKey: SendKey
  language: Language
}

const KEY = 'scrm.preferences'

function stored(): Stored {
  const language: Language = /^zh/i.test(navigator.language) || !navigator.language ? 'zh-CN' : 'en'
  const fallback: Stored = { theme: 'auto', sendKey: 'enter', language }
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
  const language = ref<Language>(start.language)

  const systemDark = window.matchMedia('(prefers-color-scheme: dark)')
  const prefersDark = ref(systemDark.matches)
  systemDark.addEventListener('change', (event) => {
    prefersDark.value = event.matches
  })
  const dark = computed(() => (theme.value === 'auto' ? prefersDark.value : theme.value === 'dark'))

  watch([theme, sendKey, language], () => {
    try {
      localStorage.setItem(
        KEY,
        JSON.stringify({ theme: theme.value, sendKey: sendKey.value, language: language.value }),
      )
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  })
  watch(dark, (on) => document.documentElement.classList.toggle('dark', on), { immediate: true })

  function toggleTheme(): void {
    theme.value = dark.value ? 'light' : 'dark'
  }

  return { theme, sendKey, language, dark, toggleTheme }
})
