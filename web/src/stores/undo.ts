import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { ApiError, answerOf, routes, whenUndoable } from '@/api/client'

/** Something one just did that can be taken back. The service says so with the header `X-Undo-Step`: `id;kind;count`. */
export interface UndoStep {
  id: number
  kind: string
  count: number
}

export type UndoOutcome = { restored: number; skipped: number } | { refused: unknown }

const SHOWN = 9000

/** The newest things that can be undone, and the one that is offered at the edge of the page. */
export const useUndo = defineStore('undo', () => {
  const steps = ref<UndoStep[]>([])
  const offered = ref<UndoStep | null>(null)
  const outcome = ref<{ step: UndoStep; result: UndoOutcome } | null>(null)
  const busy = ref(false)
  const possible = computed(() => steps.value.length > 0 && !busy.value)
  let timer: ReturnType<typeof setTimeout> | undefined
  const listeners: ((kind: string) => void)[] = []

  /** Called after something was undone; conversations tell by themselves, other things may have to be read again. */
  function whenUndone(heard: (kind: string) => void): void {
    listeners.push(heard)
  }

  function offer(step: UndoStep): void {
    steps.value = [...steps.value.slice(-19), step]
    offered.value = step
    outcome.value = null
    keepFor(SHOWN)
  }

  function keepFor(milliseconds: number): void {
    clearTimeout(timer)
    timer = setTimeout(dismiss, milliseconds)
  }

  function hold(): void {
    clearTimeout(timer)
  }

  function dismiss(): void {
    clearTimeout(timer)
    offered.value = null
    outcome.value = null
  }

  /** Takes back the newest. */
  async function undo(): Promise<void> {
    const step = steps.value.at(-1)
    if (!step || busy.value) return
    busy.value = true
    try {
      const done = await answerOf(routes.POST('/api/undo/{step_id}', { params: { path: { step_id: step.id } } }))
      outcome.value = { step, result: { restored: done.restored, skipped: done.skipped } }
      steps.value = steps.value.filter((one) => one.id !== step.id)
      for (const heard of listeners) heard(step.kind)
    } catch (error) {
      outcome.value = { step, result: { refused: error } }
      // Without an answer it may be asked again; a refusal is final.
      if (!(error instanceof ApiError && error.passing)) steps.value = steps.value.filter((one) => one.id !== step.id)
    } finally {
      busy.value = false
      offered.value = null
      keepFor(4500)
    }
  }

  function clear(): void {
    steps.value = []
    dismiss()
  }

  whenUndoable(offer)
  return { steps, offered, outcome, busy, possible, undo, whenUndone, dismiss, hold, keepFor, clear }
})
