import type { CountsPush } from '@/api/types'
import { useInbox } from '@/stores/inbox'

export function onCounts(push: CountsPush): void {
  useInbox().takeCounts(push.counts)
}
