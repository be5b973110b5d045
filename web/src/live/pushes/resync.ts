import { useAccounts } from '@/stores/accounts'
import { useInbox } from '@/stores/inbox'
import { useOutbox } from '@/stores/outbox'
import { useSession } from '@/stores/session'
import { useThreads } from '@/stores/threads'

/** Pushes may be missing: after connecting, and when the service dropped some. Reads everything in sight anew. */
export async function onResync(): Promise<void> {
  if (!useSession().can('inbox.read')) return
  useOutbox().kick()
  await Promise.all([useAccounts().load(), useInbox().resync(), useThreads().resync()])
}
