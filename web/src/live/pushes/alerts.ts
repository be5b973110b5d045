import type { AlertCounts } from '@/api/rules'
import { useAlertCounts } from '@/stores/alertCounts'

/** Alerts came or moved: how many wait now. */
export function onAlerts(push: { counts: AlertCounts }): void {
  useAlertCounts().take(push.counts)
}
