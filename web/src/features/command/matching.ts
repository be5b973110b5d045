import { INITIALS } from './pinyin'

/** How well typed letters fit a title: 0 not at all. Chinese titles are found by characters, by pinyin and by its initials. */
export function finds(wanted: string, title: string, more = ''): number {
  const asked = wanted.toLowerCase().replace(/\s+/g, '')
  const plain = title.toLowerCase()
  const tight = plain.replace(/\s+/g, '')
  if (tight.startsWith(asked)) return 5
  if (plain.split(/\s+/).some((word) => word.startsWith(asked))) return 4
  if (tight.includes(asked)) return 3
  const { full, initials } = spelled(title)
  if (initials.includes(asked) || full.includes(asked)) return 2
  return more.toLowerCase().replace(/\s+/g, '').includes(asked) ? 1 : 0
}

const SPELLING = new Map<string, string>()
for (const [syllable, characters] of Object.entries(INITIALS)) for (const character of characters) SPELLING.set(character, syllable)

function spelled(title: string): { full: string; initials: string } {
  const parts = [...title.toLowerCase()].map((character) => SPELLING.get(character) ?? (/\s/.test(character) ? '' : character))
  return { full: parts.join(''), initials: parts.map((part) => part.charAt(0)).join('') }
}
