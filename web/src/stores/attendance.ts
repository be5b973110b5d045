import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { flow, type Attendance, type Status } from '@/api/flow'
import { useSession } from './session'

/** Who is online, busy, away: pushed when it changes. */
export const useAttendance = defineStore('attendance', () => {
  const session = useSession()
  const byId = shallowRef(new Map<number, Attendance>())
  const own = computed<Status>(() => byId.value.get(session.agentId ?? 0)?.status ?? 'online')

  function take(agents: Attendance[]): void {
    byId.value = new Map(agents.map((one) => [one.agent_id, one]))
  }

  async function load(): Promise<void> {
    if (session.can('agents.read')) take((await flow.attendance()).agents)
  }

  async function choose(status: Status): Promise<void> {
    take((await flow.setStatus(status)).agents)
  }

  return { byId, own, take, load, choose }
})
