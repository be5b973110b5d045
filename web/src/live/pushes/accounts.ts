import { useAccounts } from '@/stores/accounts'

/** Accounts were added, renamed or disabled. */
export function onAccounts(): Promise<void> {
  return useAccounts().load()
}
