import { computed, ref } from 'vue'
import { useSession } from '@/stores/session'
import { dayAgo } from './days'

/** A period of days of the company's calendar; the last `days` to begin with. */
export function usePeriod(days: number) {
  const zone = useSession().me?.zone ?? 'Asia/Shanghai'
  const first = ref(dayAgo(days - 1, zone))
  const last = ref(dayAgo(0, zone))
  const sound = computed(() => first.value !== '' && last.value !== '' && first.value <= last.value)
  return { first, last, sound }
}
