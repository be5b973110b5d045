import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { answerOf, routes } from '@/api/client'
import { followups, type FollowUpSettings, type Moments, type TaskCounts } from '@/api/followups'
import { useSession } from './session'

const MOMENTS_KEPT = 5 * 60_000

/** How many of one's tasks are late and due today, and that they changed; the kinds of follow-ups; the quick moments. */
export const useTasks = defineStore('tasks', () => {
  const session = useSession()
  const counts = ref<TaskCounts>({ overdue: 0, today: 0 })
  /** Grows whenever something about tasks or follow-ups changed: pages that show some read them again. */
  const changes = ref(0)
  const settings = shallowRef<FollowUpSettings | null>(null)
  const moments = shallowRef<Moments | null>(null)
  /** Date fields of customers, around which care repeats. */
  const dateFields = shallowRef<readonly { key: string; name: string }[]>([])
  let momentsAt = 0

  async function load(): Promise<void> {
    if (session.can('customers.read')) take(await followups.counts())
  }

  function take(fresh: TaskCounts): void {
    counts.value = fresh
    changes.value += 1
  }

  async function loadSettings(): Promise<void> {
    if (settings.value) return
    settings.value = await followups.settings()
    const { fields } = await answerOf(routes.GET('/api/customer-fields'))
    dateFields.value = fields.filter((one) => one.kind === 'date' && !one.archived)
  }

  function takeSettings(fresh: FollowUpSettings): void {
    settings.value = fresh
  }

  /** They change as time goes by. */
  async function loadMoments(): Promise<void> {
    if (Date.now() - momentsAt < MOMENTS_KEPT && moments.value) return
    moments.value = await followups.moments()
    momentsAt = Date.now()
  }

  function clear(): void {
    counts.value = { overdue: 0, today: 0 }
    settings.value = null
    moments.value = null
  }

  return { counts, changes, settings, dateFields, moments, load, take, loadSettings, takeSettings, loadMoments, clear }
})
