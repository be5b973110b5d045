/** Keys that work anywhere in the inbox while nothing is being typed. */

export type Shortcut = 'next' | 'previous' | 'find' | 'done' | 'assign' | 'write' | 'escape' | 'help'

const KEYS: Record<string, Shortcut> = {
  j: 'next',
  k: 'previous',
  '/': 'find',
  e: 'done',
  a: 'assign',
  enter: 'write',
  escape: 'escape',
  '?': 'help',
  '？': 'help',
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return null
  const shortcut = KEYS[event.key.toLowerCase()] ?? null
  if (isTyping(event.target)) return null
  // A dialog has its own keys.
  if (shortcut !== 'escape' && event.target instanceof HTMLElement && event.target.closest('[role=dialog]')) return null
  // Enter on a button or link presses it.
  if (shortcut === 'write' && event.target instanceof HTMLElement && event.target.closest('button, a')) return null
  return shortcut
}

/** Listens until the returned function is called. */
export function listen(handler: (event: KeyboardEvent) => void): () => void {
  window.addEventListener('keydown', handler)
  return () => window.removeEventListener('keydown', handler)
}
