import { defineStore } from 'pinia'
import { ref } from 'vue'
import { useSession } from './session'

/** Private notes that were begun, per conversation, in this browser. */
export const useNoteDrafts = defineStore('noteDrafts', () => {
  const session = useSession()
  const texts = ref(new Map<number, string>())
  const keyOf = (id: number): string => `scrm.note.${session.agentId}.${id}`

  const of = (id: number): string => texts.value.get(id) ?? localStorage.getItem(keyOf(id)) ?? ''

  function set(id: number, text: string): void {
    texts.value.set(id, text)
    try {
      if (text.trim()) localStorage.setItem(keyOf(id), text)
      else localStorage.removeItem(keyOf(id))
    } catch {
      // Without storage it lasts as long as the page.
    }
  }

  return { of, set }
})
