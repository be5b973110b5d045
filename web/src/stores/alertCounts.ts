import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { answerOf, routes } from '@/api/client'
import type { AlertCounts } from '@/api/rules'

/** How many alerts wait for the reader: read once, then told by the service. */
export const useAlertCounts = defineStore('alertCounts', () => {
  const counts = shallowRef<AlertCounts | null>(null)
  const open = computed(() => (counts.value ? counts.value.new + counts.value.taken : 0))

  function take(now: AlertCounts): void {
    counts.value = now
  }

  async function load(): Promise<void> {
    take(await answerOf(routes.GET('/api/audit/alerts/counts')))
  }

  return { counts, open, take, load }
})
