import type { Handover } from '@/api/owners'
import { useAccounts } from '@/stores/accounts'
import { usePeople } from '@/stores/people'
import { useWords } from '@/ui/words'

const STUCK = new Set(['changed', 'uncertain', 'refused', 'taker_full', 'failed'])
const THROUGH = new Set(['moved', 'done'])

/** A handover in words and numbers. */
export function useHandoverWords() {
  const { t } = useWords()
  const people = usePeople()
  const accounts = useAccounts()

  const sourceOf = (one: Pick<Handover, 'from_agent_id' | 'account_id'>): string =>
    one.account_id !== null
      ? (accounts.accounts.find((account) => account.id === one.account_id)?.name ?? t('owners.handover.account'))
      : people.nameOf(one.from_agent_id) || t('thread.somebody')
  const sum = (one: Handover, fits: (state: string) => boolean): number =>
    one.counts.filter((count) => fits(count.state)).reduce((all, count) => all + count.count, 0)
  const moved = (one: Handover): number => sum(one, (state) => THROUGH.has(state))
  const stuck = (one: Handover): number => sum(one, (state) => STUCK.has(state))
  const tone = (state: string): string => (state === 'done' ? 'green' : state === 'returned' ? '' : 'accent')

  return { sourceOf, moved, stuck, tone }
}
