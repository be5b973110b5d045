import { computed } from 'vue'
import { usePeople } from '@/stores/people'
import { useSession } from '@/stores/session'

/** The colleagues whose tasks a manager sees: as far as they reach, those who work with customers. */
export function useReached() {
  const people = usePeople()
  const session = useSession()
  return computed(() => {
    const teams = people.agentById.get(session.agentId ?? 0)?.team_ids ?? []
    const all = session.me?.reach === 'all'
    return people.agents.filter(
      (one) => !one.disabled && (one.id === session.agentId || (!['marketer', 'auditor'].includes(one.role) && (all || (session.me?.reach === 'team' && one.team_ids.some((team) => teams.includes(team)))))),
    )
  })
}
