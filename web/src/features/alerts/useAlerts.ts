import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { rulesApi, type Alert, type AlertsQuery, type Severity } from '@/api/rules'
import { useAlertCounts } from '@/stores/alertCounts'
import { useSession } from '@/stores/session'

export const STATES = ['open', 'mine', 'new', 'taken', 'done', 'dismissed'] as const
export type StateFilter = (typeof STATES)[number]

/** The list of alerts: what is asked for stands in the address, what is new is offered and does not jump in. */
export function useAlerts() {
  const route = useRoute()
  const router = useRouter()
  const session = useSession()
  const counts = useAlertCounts()
  const alerts = shallowRef<Alert[]>([])
  const cursor = ref<number | null>(null)
  const phase = ref<'busy' | 'ready' | 'failed'>('busy')
  const failure = ref<unknown>(null)
  const loading = ref(false)
  const fresh = ref(0)
  let asked = 0

  const one = (name: string): string => (typeof route.query[name] === 'string' ? String(route.query[name]) : '')
  const state = computed<StateFilter>(() => STATES.find((name) => name === one('state')) ?? 'open')
  const severity = computed(() => (['high', 'medium', 'low'] as const).find((name) => name === one('severity')) ?? null)
  const rule = computed(() => Number(one('rule')) || null)
  const chosenId = computed(() => Number(one('alert')) || null)
  const narrowed = computed(() => state.value !== 'open' || severity.value !== null || rule.value !== null)

  function query(): AlertsQuery {
    const mine = state.value === 'mine'
    return {
      state: mine ? 'open' : (state.value as Exclude<StateFilter, 'mine'>),
      ...(mine && session.agentId !== null ? { assignee_id: session.agentId } : {}),
      ...(severity.value ? { severity: severity.value } : {}),
      ...(rule.value ? { rule_id: rule.value } : {}),
    }
  }

  async function load(next = false): Promise<void> {
    const turn = ++asked
    loading.value = true
    if (!next && alerts.value.length === 0) phase.value = 'busy'
    try {
      const page = await rulesApi.alerts({ ...query(), ...(next && cursor.value ? { cursor: cursor.value } : {}) })
      if (turn !== asked) return
      alerts.value = next ? [...alerts.value, ...page.alerts] : page.alerts
      cursor.value = page.next_cursor
      phase.value = 'ready'
      failure.value = null
      fresh.value = 0
    } catch (error) {
      if (turn !== asked) return
      failure.value = error
      if (!next) phase.value = 'failed'
    } finally {
      if (turn === asked) loading.value = false
    }
  }

  function put(alert: Alert): void {
    alerts.value = alerts.value.map((held) => (held.id === alert.id ? alert : held))
  }

  function narrow(changes: { state?: StateFilter; severity?: Severity | null; rule?: number | null; alert?: number | null }): void {
    const { alert: _, ...rest } = route.query
    const wanted = Object.entries({ ...('alert' in changes ? rest : { ...rest }), ...changes })
    const next = Object.fromEntries(wanted.filter(([, value]) => value !== null && value !== undefined && String(value) !== '').map(([name, value]) => [name, String(value)]))
    if (next.state === 'open') delete next.state
    void router.replace({ query: next })
  }

  watch([state, severity, rule], () => {
    alerts.value = []
    void load()
  })
  watch(
    () => counts.counts?.new,
    (now, before) => {
      if (now !== undefined && before !== undefined && now > before) fresh.value += now - before
    },
  )
  onMounted(() => void load())
  onBeforeUnmount(() => (asked += 1))

  return { alerts, cursor, phase, failure, loading, fresh, state, severity, rule, chosenId, narrowed, load, put, narrow }
}
