/** Keys of commands: which were pressed, and how they are written. Pure. */

import type { Command } from '@/stores/commands'

export const IS_MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '')

/** `mod+k`, `shift+e`, `e`: what was pressed, in the words of {@link Command.keys}. */
export function chordOf(event: KeyboardEvent, mac = IS_MAC): string {
  // A Chinese keyboard writes its own question mark and comma.
  const key = { ' ': 'space', '？': '?', '／': '/', '、': '/' }[event.key] ?? event.key.toLowerCase()
  const parts: string[] = []
  if (mac ? event.metaKey : event.ctrlKey) parts.push('mod')
  if (mac ? event.ctrlKey : event.metaKey) parts.push('ctrl')
  if (event.altKey) parts.push('alt')
  // Shift is part of a character that is written with it.
  if (event.shiftKey && (key.length > 1 || /[a-z0-9]/.test(key))) parts.push('shift')
  return [...parts, key].join('+')
}

export function keysOf(command: Command): readonly string[] {
  if (command.keys === undefined) return []
  return typeof command.keys === 'string' ? [command.keys] : command.keys
}

const NAMES: Record<string, string> = {
  arrowup: '↑', arrowdown: '↓', arrowleft: '←', arrowright: '→', escape: 'Esc', enter: 'Enter', space: 'Space', shift: 'Shift',
  ctrl: 'Ctrl', home: 'Home', end: 'End', pageup: 'PgUp', pagedown: 'PgDn', delete: 'Del', backspace: '⌫', tab: 'Tab',
}

/** The keycaps of one way to press it: `mod+k` is `['Ctrl', 'K']`. */
export function caps(keys: string, mac = IS_MAC): string[] {
  const modifier: Record<string, string> = mac ? { mod: '⌘', alt: '⌥' } : { mod: 'Ctrl', alt: 'Alt' }
  return keys.split(/[+ ](?=.)/).map((part) => modifier[part] ?? NAMES[part] ?? part.toUpperCase())
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !/^(checkbox|radio|button)$/.test((target as HTMLInputElement).type ?? '')
}

const inDialog = (target: EventTarget | null) => target instanceof HTMLElement && target.closest('[role=dialog], [role=menu], [role=listbox]') !== null
const onControl = (target: EventTarget | null) => target instanceof HTMLElement && target.closest('button, a, summary, [role=option], [role=tab]') !== null

/** May these keys be taken from what has the focus? */
export function mayTake(command: Command, chord: string, target: EventTarget | null): boolean {
  if (command.always) return true
  const strong = /^(mod|alt|ctrl)\+/.test(chord)
  if (isTyping(target)) return strong && !/^mod\+(a|c|v|x|z|y)$/.test(chord)
  if (inDialog(target)) return false
  // Enter and Space press what has the focus.
  return !((chord === 'enter' || chord === 'space') && onControl(target))
}
