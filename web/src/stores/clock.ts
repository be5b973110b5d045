import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { useSession } from './session'

/** The server's time, ticking. `second` for countdowns in sight, `quarter` (of a minute) for lists. */
export const useClock = defineStore('clock', () => {
  const session = useSession()
  const local = ref(Date.now())
  setInterval(() => {
    local.value = Date.now()
  }, 1000)
  const second = computed(() => local.value + session.clockOffset)
  const quarter = computed(() => Math.floor(second.value / 15_000) * 15_000)
  return { second, quarter }
})
