/** A short, soft double tone made on the spot: no file to load. `volume` 0 to 100. */
let context: AudioContext | null = null

export function chime(volume: number): void {
  if (volume <= 0) return
  try {
    context ??= new AudioContext()
    const start = context.currentTime
    for (const [at, pitch] of [[0, 880], [0.13, 1174.7]] as const) {
      const tone = context.createOscillator()
      const gain = context.createGain()
      tone.frequency.value = pitch
      gain.gain.setValueAtTime(0, start + at)
      gain.gain.linearRampToValueAtTime((volume / 100) * 0.22, start + at + 0.015)
      gain.gain.exponentialRampToValueAtTime(0.0001, start + at + 0.32)
      tone.connect(gain).connect(context.destination)
      tone.start(start + at)
      tone.stop(start + at + 0.34)
    }
  } catch {
    // A browser without sound, or one that waits for a first click: silence is no error.
  }
}
