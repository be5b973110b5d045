import { defineStore } from 'pinia'
import { computed, onScopeDispose, shallowRef } from 'vue'

/**
 * Everything that can be done without a mouse, in one place: the command bar offers it, `?` lists its keys, and its keys work.
 *
 *     const commands = useCommands()
 *     commands.register({
 *       id: 'conversation.close',                 // unique; registered again, it replaces the earlier one
 *       title: () => t('list.command.close'),
 *       group: 'conversation',
 *       keys: 'e',                                // see `Keys`
 *       when: () => conversation.value?.status === 'open',
 *       run: () => close(),
 *     })
 *
 * Called inside a component's setup it goes away with the component; elsewhere call the function it returns.
 */
export interface Command {
  id: string
  title: () => string
  group: CommandGroup
  /**
   * `e`, `?`, `shift+e`, `mod+k` (Ctrl, on a Mac Cmd), `alt+arrowdown`, `g i` (one after the other). Keys without `mod` or `alt`
   * do nothing while somebody types, nor in a dialog, unless `always`.
   */
  keys?: string | readonly string[]
  /** False: not now. It is not offered and its keys do nothing. Always listed under `?`. */
  when?: () => boolean
  /** Also while somebody types and in dialogs. */
  always?: boolean
  /** Other words that find it. */
  words?: () => string
  /** False: its keys work and are listed, but the command bar does not offer it (moving in a list, for example). */
  offered?: boolean
  run: (event?: KeyboardEvent) => unknown
}

export type CommandGroup = 'conversation' | 'list' | 'composer' | 'go' | 'look' | 'other'
export const GROUPS: readonly CommandGroup[] = ['conversation', 'list', 'composer', 'go', 'look', 'other']

export const useCommands = defineStore('commands', () => {
  const registered = shallowRef<ReadonlyMap<string, Command>>(new Map())
  const all = computed(() => [...registered.value.values()])

  function register(...commands: Command[]): () => void {
    const next = new Map(registered.value)
    for (const command of commands) next.set(command.id, command)
    registered.value = next
    const forget = () => {
      // A component that comes before the old one has gone has already put its own in place.
      const left = new Map(registered.value)
      for (const command of commands) if (left.get(command.id) === command) left.delete(command.id)
      registered.value = left
    }
    onScopeDispose(forget, true)
    return forget
  }

  const possible = (command: Command) => command.when?.() ?? true
  const open = shallowRef<'bar' | 'help' | null>(null)
  /** What the bar starts with, when something else opens it. */
  const asked = shallowRef('')

  function show(what: 'bar' | 'help', text = ''): void {
    asked.value = text
    open.value = what
  }

  function hide(): void {
    open.value = null
  }

  return { all, open, asked, register, possible, show, hide }
})
