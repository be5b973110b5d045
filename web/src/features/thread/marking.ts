import { inject, ref, type InjectionKey, type Ref } from 'vue'

/** What is being looked for in the open conversation; empty: nothing. */
export const LOOKED_FOR: InjectionKey<Ref<string>> = Symbol('looked for')
export const useLookedFor = (): Ref<string> => inject(LOOKED_FOR, ref(''))

/** Splits a text where words were found, whatever their case. */
export function pieces(text: string, words: string | undefined): { text: string; hit: boolean }[] {
  const wanted = words?.trim().toLowerCase()
  if (!wanted) return [{ text, hit: false }]
  const lower = text.toLowerCase()
  // Some letters change their length with their case: then places in one are no places in the other.
  if (lower.length !== text.length) return [{ text, hit: false }]
  const found: { text: string; hit: boolean }[] = []
  let from = 0
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    if (at > from) found.push({ text: text.slice(from, at), hit: false })
    from = at + wanted.length
    found.push({ text: text.slice(at, from), hit: true })
  }
  if (from < text.length) found.push({ text: text.slice(from), hit: false })
  return found
}
