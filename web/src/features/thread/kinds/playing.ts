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
