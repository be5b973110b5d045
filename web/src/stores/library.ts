import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { compose, type Macro } from '@/api/compose'
import { newToken } from '@/model/token'
import { useSession } from './session'

/** Macros, for the composer and the command bar. */
export const useLibrary = defineStore('library', () => {
  const session = useSession()
  const macros = shallowRef<Macro[]>([])
  let loaded = false

  async function loadMacros(again = false): Promise<void> {
    if (!session.can('library.read') || (loaded && !again)) return
    macros.value = (await compose.macros()).macros
    loaded = true
  }

  /** On these conversations, once: a repeated request is the same run. */
  async function run(macro: Macro, conversationIds: number[]) {
    return compose.runMacro(macro.id, newToken(), conversationIds)
  }

  return { macros, loadMacros, run }
})
