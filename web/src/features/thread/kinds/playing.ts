import { ref } from 'vue'

/** Only one recording sounds at a time. */

let current: HTMLAudioElement | null = null

export function claim(sound: HTMLAudioElement): void {
  if (current && current !== sound) current.pause()
  current = sound
}

export function release(sound: HTMLAudioElement): void {
  sound.pause()
  if (current === sound) current = null
}

export const SPEEDS: readonly number[] = [1, 1.25, 1.5, 2]
/** How fast recordings are played on this page. */
export const playbackSpeed = ref(1)
