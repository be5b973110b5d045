import type { Due } from './MomentChips.vue'

/** What was begun and not saved, per customer: turning to another one and back loses nothing. */
export interface FollowUpDraft {
  text: string
  outcome: string
  due: Due | null
  next: string
}

const held = new Map<number, FollowUpDraft>()

export const draftOf = (customerId: number): FollowUpDraft => ({ ...(held.get(customerId) ?? { text: '', outcome: '', due: null, next: '' }) })
export function keepDraft(customerId: number, draft: FollowUpDraft): void {
  if (draft.text || draft.outcome || draft.due) held.set(customerId, { ...draft })
  else held.delete(customerId)
}

const KIND = 'scrm.followup.kind'
export const lastKind = (inChat: boolean): string => (inChat ? 'chat' : (localStorage.getItem(KIND) ?? 'call'))
export const rememberKind = (kind: string): void => localStorage.setItem(KIND, kind)
