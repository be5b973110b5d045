import type { ViewersPush } from '@/api/types'
import { usePresence } from '@/stores/presence'

export function onViewers(push: ViewersPush): void {
  usePresence().take(push)
}
