import { onBeforeUnmount, ref, shallowRef } from 'vue'
import type { Placed } from './calendarDays'

/** Where something is let go: a day, and the minute of it; null: the whole day. `undefined`: the day alone, its time stays. */
export interface Target {
  day: string
  minute: number | null | undefined
}

const FAR = 5
const LONG_PRESS = 280

/**
 * Dragging by mouse, pen and finger: a finger has to rest first, so that swiping goes on scrolling. `find` says what is under the
 * pointer, given where in the card it was taken.
 */
export function useDragging(find: (x: number, y: number, grabbed: number) => Target | null, drop: (placed: Placed, target: Target) => void) {
  const held = shallowRef<Placed | null>(null)
  const over = shallowRef<Target | null>(null)
  const pointer = ref({ x: 0, y: 0 })
  let wanted: { placed: Placed; x: number; y: number; grabbed: number; touch: boolean } | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  /** A press that dragged is no click. */
  let dragged = false

  function down(event: PointerEvent, placed: Placed): void {
    if (event.button !== 0 || !placed.task.may_change || placed.task.state !== 'open') return
    const card = event.currentTarget as HTMLElement
    wanted = { placed, x: event.clientX, y: event.clientY, grabbed: event.clientY - card.getBoundingClientRect().top, touch: event.pointerType === 'touch' }
    dragged = false
    if (wanted.touch) timer = setTimeout(begin, LONG_PRESS)
    window.addEventListener('pointermove', move)
    window.addEventListener('pointerup', up)
    window.addEventListener('pointercancel', cancel)
    window.addEventListener('touchmove', still, { passive: false })
    window.addEventListener('keydown', escape, true)
  }
  function begin(): void {
    if (!wanted) return
    held.value = wanted.placed
    pointer.value = { x: wanted.x, y: wanted.y }
    dragged = true
    look(wanted.x, wanted.y)
  }
  function move(event: PointerEvent): void {
    if (!wanted) return
    const far = Math.hypot(event.clientX - wanted.x, event.clientY - wanted.y) > FAR
    if (!held.value) {
      if (wanted.touch) {
        if (far) cancel()
        return
      }
      if (!far) return
      begin()
    }
    pointer.value = { x: event.clientX, y: event.clientY }
    look(event.clientX, event.clientY)
  }
  const look = (x: number, y: number): void => void (over.value = find(x, y, wanted?.grabbed ?? 0))
  function still(event: TouchEvent): void {
    if (held.value) event.preventDefault()
  }
  function up(): void {
    const placed = held.value
    const target = over.value
    cancel()
    if (placed && target) drop(placed, target)
  }
  function escape(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !held.value) return
    event.stopPropagation()
    cancel()
  }
  function cancel(): void {
    clearTimeout(timer)
    wanted = null
    held.value = null
    over.value = null
    window.removeEventListener('pointermove', move)
    window.removeEventListener('pointerup', up)
    window.removeEventListener('pointercancel', cancel)
    window.removeEventListener('touchmove', still)
    window.removeEventListener('keydown', escape, true)
  }
  onBeforeUnmount(cancel)

  return { held, over, pointer, down, wasDragged: () => dragged }
}
