import { useAccounts } from '@/stores/accounts'
import { useAlertCounts } from '@/stores/alertCounts'
import { useAttendance } from '@/stores/attendance'
import { useBell } from '@/stores/bell'
import { useCampaignWatch } from '@/stores/campaignWatch'
import { useCustomerWatch } from '@/stores/customerWatch'
import { useDrafts } from '@/stores/drafts'
import { useInbox } from '@/stores/inbox'
import { useLabels } from '@/stores/labels'
import { useOutbox } from '@/stores/outbox'
import { usePresence } from '@/stores/presence'
import { useScheduled } from '@/stores/scheduled'
import { useSession } from '@/stores/session'
import { useTasks } from '@/stores/tasks'
import { useThreads } from '@/stores/threads'
import { useTrays } from '@/stores/trays'

/** Pushes may be missing: after connecting, and when the service dropped some. Reads everything in sight anew. */
export async function onResync(): Promise<void> {
  useCustomerWatch().resync()
  useCampaignWatch().resync()
  void useTasks().load().catch(() => undefined)
  if (useSession().can('audit.read')) void useAlertCounts().load().catch(() => undefined)
  if (!useSession().can('inbox.read')) return
  useOutbox().kick()
  useTrays().kick()
  useScheduled().resync()
  void useDrafts().load().catch(() => undefined)
  usePresence().announce()
  void useBell().load().catch(() => undefined)
  void useAttendance().load().catch(() => undefined)
  void useLabels().load().catch(() => undefined)
  await Promise.all([useAccounts().load(), useInbox().resync(), useThreads().resync()])
}
