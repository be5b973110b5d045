/** The page's colours as they are now, for charts. */
export interface Palette {
  series: string[]
  ink: string
  ink2: string
  ink3: string
  line: string
  panel: string
  font: string
  hue: (name: string) => string
}

const HUES: Record<string, string> = { grey: '#8a93a5', red: '#e5484d', orange: '#e5731a', yellow: '#c99700', green: '#2f9e5b', teal: '#12989a', blue: '#2f6df0', purple: '#8257e6', pink: '#d6409f' }

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string): string => style.getPropertyValue(name).trim()
  return {
    series: ['blue', 'teal', 'orange', 'purple', 'green', 'pink', 'yellow', 'red', 'grey'].map((one) => HUES[one]!),
    ink: read('--ink'),
    ink2: read('--ink-2'),
    ink3: read('--ink-3'),
    line: read('--line'),
    panel: read('--panel'),
    font: read('--font'),
    hue: (name) => HUES[name] ?? HUES.grey!,
  }
}
