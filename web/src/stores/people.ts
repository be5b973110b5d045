import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { api } from '@/api'
import type { AgentView } from '@/api/types'
import { useSession } from './session'

/** The colleagues, for names and for assigning. */
export const usePeople = defineStore('people', () => {
  const session = useSession()
  const agents = shallowRef<AgentView[]>([])
  const agentById = computed(() => new Map(agents.value.map((agent) => [agent.id, agent])))

  async function load(): Promise<void> {
    if (!session.can('agents.read')) return
    agents.value = (await api.agents()).agents
  }

  function nameOf(id: number | null): string {
    if (id === null) return ''
    if (id === session.agentId) return session.agent?.name ?? ''
    return agentById.value.get(id)?.name ?? ''
  }

  return { agents, agentById, load, nameOf }
})
