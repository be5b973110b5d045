import { onBeforeUnmount, ref } from 'vue'

/**
 * Dragging cards by mouse, pen or finger. A mouse takes a card once it moved a little; a finger holds it for a moment first, so that
 * scrolling stays scrolling. What lies under the pointer and has `data-column` is where it would be dropped.
 */
const HOLD = 280
const SLACK = 6

export function useDragging(dropped: (id: number, column: number) => void) {
  const dragged = ref<number | null>(null)
  const over = ref<number | null>(null)
  const at = ref({ x: 0, y: 0 })
  let begun: { id: number; x: number; y: number; pointer: number; touch: boolean } | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let edge: ReturnType<typeof setInterval> | undefined
  let scroller: HTMLElement | null = null
  /** The click that follows a drop opens nothing. */
  let swallow = false

  function take(): void {
    if (!begun) return
    dragged.value = begun.id
    at.value = { x: begun.x, y: begun.y }
    edge = setInterval(nearEdge, 16)
  }

  /** At the edges the board moves along. */
  function nearEdge(): void {
    if (!scroller) return
    const box = scroller.getBoundingClientRect()
    const by = at.value.x > box.right - 48 ? 12 : at.value.x < box.left + 48 ? -12 : 0
    if (by) scroller.scrollLeft += by
    look()
  }

  function look(): void {
    const below = document.elementFromPoint(at.value.x, at.value.y)?.closest<HTMLElement>('[data-column]')
    over.value = below ? Number(below.dataset.column) : null
  }

  function down(event: PointerEvent, id: number, board: HTMLElement | null): void {
    if (event.button !== 0 || (event.target as HTMLElement).closest('button, a.act, input')) return
    scroller = board
    begun = { id, x: event.clientX, y: event.clientY, pointer: event.pointerId, touch: event.pointerType !== 'mouse' }
    if (begun.touch) timer = setTimeout(take, HOLD)
    window.addEventListener('pointermove', move)
    window.addEventListener('pointerup', up)
    window.addEventListener('pointercancel', end)
    window.addEventListener('touchmove', hold, { passive: false })
    window.addEventListener('keydown', escape)
  }

  function move(event: PointerEvent): void {
    if (!begun || event.pointerId !== begun.pointer) return
    const far = Math.hypot(event.clientX - begun.x, event.clientY - begun.y) > SLACK
    if (dragged.value === null) {
      if (begun.touch && far) return end()
      if (begun.touch || !far) return
      take()
    }
    at.value = { x: event.clientX, y: event.clientY }
    look()
  }

  function up(): void {
    const id = dragged.value
    const column = over.value
    swallow = id !== null
    end()
    if (id !== null && column !== null) dropped(id, column)
    setTimeout(() => (swallow = false), 0)
  }

  /** While a card is held, the page does not scroll under the finger. */
  function hold(event: TouchEvent): void {
    if (dragged.value !== null) event.preventDefault()
  }

  function escape(event: KeyboardEvent): void {
    if (event.key === 'Escape') end()
  }

  function end(): void {
    clearTimeout(timer)
    clearInterval(edge)
    begun = null
    dragged.value = null
    over.value = null
    window.removeEventListener('pointermove', move)
    window.removeEventListener('pointerup', up)
    window.removeEventListener('pointercancel', end)
    window.removeEventListener('touchmove', hold)
    window.removeEventListener('keydown', escape)
  }
  onBeforeUnmount(end)

  return { dragged, over, at, down, swallowed: () => swallow }
}
