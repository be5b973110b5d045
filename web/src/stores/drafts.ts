import { defineStore } from 'pinia'
import { ref } from 'vue'
import { useSession } from './session'

/** What was typed and not sent, per conversation. It survives a reload. */
export const useDrafts = defineStore('drafts', () => {
  const session = useSession()
  const texts = ref(new Map<number, string>())

  const keyOf = (id: number): string => `scrm.draft.${session.agentId}.${id}`

  function of(id: number): string {
    const known = texts.value.get(id)
    if (known !== undefined) return known
    return localStorage.getItem(keyOf(id)) ?? ''
  }

  function set(id: number, text: string): void {
    texts.value.set(id, text)
    try {
      if (text.trim()) localStorage.setItem(keyOf(id), text)
      else localStorage.removeItem(keyOf(id))
    } catch {
      // Without storage the draft lasts as long as the page.
    }
  }

  return { of, set }
})
