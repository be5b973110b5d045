import type { NotificationPage } from '@/api/types'
import { useBell } from '@/stores/bell'

/** A notice came, or some were read in another tab. */
export function onNotifications(push: { page: NotificationPage }): void {
  useBell().take(push.page)
}
