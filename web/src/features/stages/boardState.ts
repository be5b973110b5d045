import { reactive } from 'vue'
import { stagesApi, type BoardCard, type BoardColumn, type BoardFilter } from '@/api/stages'

/** What the board shows. A move changes it at once; when the service refuses, it is read again. */
export function useBoard(filter: () => BoardFilter) {
  const state = reactive({ columns: [] as BoardColumn[], loaded: false, failure: null as unknown, owners: null as readonly number[] | null, loadingMore: new Set<number>() })
  let asked = 0

  async function load(): Promise<void> {
    const mine = ++asked
    try {
      const found = await stagesApi.board(filter())
      if (mine !== asked) return
      state.columns = found.columns
      state.owners = found.owner_ids
      state.failure = null
      state.loaded = true
    } catch (error) {
      if (mine === asked) state.failure = error
    }
  }

  async function more(column: BoardColumn): Promise<void> {
    if (!column.next_cursor || state.loadingMore.has(column.stage_id)) return
    const mine = asked
    state.loadingMore.add(column.stage_id)
    try {
      const page = await stagesApi.boardCards(column.stage_id, column.next_cursor, filter())
      if (mine !== asked) return
      const known = new Set(column.cards.map((card) => card.id))
      column.cards.push(...page.cards.filter((card) => !known.has(card.id)))
      column.next_cursor = page.next_cursor
    } finally {
      state.loadingMore.delete(column.stage_id)
    }
  }

  const columnOf = (cardId: number): BoardColumn | undefined => state.columns.find((column) => column.cards.some((card) => card.id === cardId))

  /** Puts the card at the top of its new column, as the service will show it. */
  function place(card: BoardCard, stageId: number): void {
    const from = columnOf(card.id)
    const to = state.columns.find((column) => column.stage_id === stageId)
    if (!from || !to || from === to) return
    from.cards = from.cards.filter((one) => one.id !== card.id)
    from.n -= 1
    from.value_fen -= card.value_fen ?? 0
    to.cards = [{ ...card, since: new Date().toISOString() }, ...to.cards]
    to.n += 1
    to.value_fen += card.value_fen ?? 0
  }

  /** Deeper pages are open: reading anew would fold them. */
  const deep = (): boolean => state.columns.some((column) => column.cards.length > 20)

  return { state, load, more, place, columnOf, deep }
}
