import type { Group } from '@/api/lists'
import type { PlanDraft, SopPlan, SopStep } from '@/api/sop'

/** A step in hand: `key` tells it from the others while it moves. */
export type DraftStep = Required<SopStep> & { key: number }

let keys = 0
export function freshStep(after?: DraftStep): DraftStep {
  const days = after ? (after.at ? after.days : 0) + (after.days >= 1 ? 2 : 1) : 0
  return { key: ++keys, days, at: '10:00', minutes: null, kind: 'task', title: '', text: '', words: '', otherwise: 'task' }
}

export const freshPlan = (): PlanDraft => ({
  start: { on: 'added', code_ids: [] }, filter: { match: 'all', parts: [] }, steps: [], on_reply: 'any', leave: true, again: true, late_hours: 12,
  quiet: { begin: '21:00', end: '09:00' }, deputy_id: null,
})

export function toDraft(plan: SopPlan): { plan: PlanDraft; steps: DraftStep[] } {
  const held = plan as unknown as PlanDraft
  return { plan: { ...held, filter: held.filter as Group }, steps: held.steps.map((step) => ({ ...step, key: ++keys })) }
}

/** In the order in which they come. */
const place = (step: DraftStep): number => (step.at ? step.days * 1440 + Number(step.at.slice(0, 2)) * 60 + Number(step.at.slice(3)) : (step.minutes ?? 0))
export function inOrder(steps: DraftStep[]): Required<SopStep>[] {
  return [...steps].sort((a, b) => place(a) - place(b)).map(({ key: _, ...step }) => step)
}
