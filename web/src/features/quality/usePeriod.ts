import { computed, ref } from 'vue'
import { companyDay } from '@/ui/time'

/** A period of days of the company's calendar; the last `days` to begin with. */
export function usePeriod(days: number) {
  const first = ref(companyDay(1 - days))
  const last = ref(companyDay())
  const sound = computed(() => first.value !== '' && last.value !== '' && first.value <= last.value)
  return { first, last, sound }
}
