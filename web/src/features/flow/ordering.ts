import { nextTick, ref, type ShallowRef } from 'vue'

export interface Ordered {
  id: number
  name: string
}

/**
 * Moves the rows of a list by hand or by keys. The page shows a move at once; requests go one at a time and the last order wins, so
 * that answers which overtake each other bring no earlier order back. `send` answers the list as it is kept, or null when it failed.
 */
export function useOrdering<T extends Ordered>(
  rows: ShallowRef<T[]>,
  does: { send: (ids: number[]) => Promise<T[] | null>; take: (list: T[]) => void; reload: () => Promise<void>; moved: (row: T, place: number) => void; gripOf: (id: number) => string },
) {
  const dragged = ref<number | null>(null)
  const over = ref<number | null>(null)
  let sending = false
  let stale = false

  const placeOf = (id: number) => rows.value.findIndex((row) => row.id === id)

  async function move(id: number, to: number): Promise<void> {
    const from = placeOf(id)
    if (from < 0 || to < 0 || to >= rows.value.length || from === to) return
    const next = [...rows.value]
    const [one] = next.splice(from, 1)
    if (!one) return
    next.splice(to, 0, one)
    rows.value = next
    does.moved(one, to + 1)
    await nextTick()
    // Moved in the page, the grip lost the focus; the next key should find it at once.
    document.getElementById(does.gripOf(id))?.focus()
    await send()
  }

  async function send(): Promise<void> {
    stale = true
    if (sending) return
    sending = true
    while (stale) {
      stale = false
      const list = await does.send(rows.value.map((row) => row.id))
      if (!list) await does.reload()
      else if (!stale) does.take(list)
    }
    sending = false
  }

  function onKey(event: KeyboardEvent, row: T): void {
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0
    if (!step) return
    event.preventDefault()
    void move(row.id, placeOf(row.id) + step)
  }

  function drop(at: number): void {
    const id = dragged.value
    dragged.value = null
    over.value = null
    if (id !== null) void move(id, at)
  }

  return { dragged, over, onKey, drop }
}
