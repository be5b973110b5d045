import type { ShownTag } from '@/stores/stages'

/** How well a tag fits what was typed: by its words, its pinyin or its initials. Null: not at all; smaller is better. */
export function fit(tag: Pick<ShownTag, 'name' | 'group' | 'keys'>, typed: string): number | null {
  const wanted = typed.trim().toLowerCase()
  if (!wanted) return 0
  const name = tag.name.toLowerCase()
  if (name.startsWith(wanted)) return 0
  if (tag.keys.split('\n').some((key) => key.startsWith(wanted))) return 1
  if (name.includes(wanted)) return 2
  if (tag.keys.includes(wanted)) return 3
  return tag.group.toLowerCase().includes(wanted) ? 4 : null
}

/** Those that fit, the best ones first, otherwise in the company's order. */
export function find<T extends Pick<ShownTag, 'name' | 'group' | 'keys'>>(tags: readonly T[], typed: string): T[] {
  return tags
    .flatMap((tag, place) => {
      const score = fit(tag, typed)
      return score === null ? [] : [{ tag, place, score }]
    })
    .sort((a, b) => a.score - b.score || a.place - b.place)
    .map((one) => one.tag)
}
