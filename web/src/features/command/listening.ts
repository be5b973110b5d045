import type { Command } from '@/stores/commands'
import { chordOf, keysOf, mayTake } from './keys'

const PATIENCE = 1200

/** Runs commands by their keys. Returns what stops it. `commands` is asked at each key. */
export function listenForKeys(commands: () => readonly Command[], possible: (command: Command) => boolean): () => void {
  let first = ''
  let timer: ReturnType<typeof setTimeout> | undefined

  function forget(): void {
    first = ''
    clearTimeout(timer)
  }

  function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || event.key === 'Shift' || event.key === 'Control' || event.key === 'Alt' || event.key === 'Meta') return
    const chord = chordOf(event)
    const pressed = first ? `${first} ${chord}` : chord
    forget()
    const fits = (keys: string) => commands().find((one) => keysOf(one).includes(keys) && mayTake(one, chord, event.target) && possible(one))
    const found = fits(pressed) ?? fits(chord)
    if (found) {
      event.preventDefault()
      void found.run(event)
      return
    }
    const begins = commands().some((one) => keysOf(one).some((keys) => keys.startsWith(`${chord} `)) && mayTake(one, chord, event.target))
    if (begins) {
      first = chord
      timer = setTimeout(forget, PATIENCE)
    }
  }

  window.addEventListener('keydown', onKey)
  return () => {
    forget()
    window.removeEventListener('keydown', onKey)
  }
}
