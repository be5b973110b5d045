import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { api } from '@/api'
import { ApiError, setCsrfToken } from '@/api/client'
import type { Me } from '@/api/types'
import { setZone } from '@/ui/time'

/** Who is signed in, and what they may do. */
export const useSession = defineStore('session', () => {
  const me = shallowRef<Me | null>(null)
  /** Server time minus the time of this machine, in milliseconds: countdowns follow the server. */
  const clockOffset = shallowRef(0)

  const agent = computed(() => me.value?.agent ?? null)
  const agentId = computed(() => me.value?.agent.id ?? 0)

  function can(permission: string): boolean {
    return me.value?.permissions.includes(permission) ?? false
  }

  function enter(answer: Me): void {
    setCsrfToken(answer.csrf_token)
    me.value = answer
    noteServerTime(answer.server_time)
    setZone(answer.zone)
  }

  function leave(): void {
    setCsrfToken('')
    me.value = null
  }

  function noteServerTime(time: string): void {
    const milliseconds = Date.parse(time)
    if (!Number.isNaN(milliseconds)) clockOffset.value = milliseconds - Date.now()
  }

  /** Finds out whether the cookie still means somebody. Throws when the service cannot be asked. */
  async function load(): Promise<void> {
    try {
      enter(await api.me())
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) leave()
      else throw error
    }
  }

  async function signIn(login: string, password: string): Promise<void> {
    enter(await api.signIn(login, password))
  }

  async function signOut(): Promise<void> {
    await api.signOut()
    leave()
  }

  return { me, agent, agentId, clockOffset, can, enter, leave, load, noteServerTime, signIn, signOut }
})
