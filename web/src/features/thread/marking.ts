import { inject, ref, type InjectionKey, type Ref } from 'vue'

/** What is being looked for in the open conversation, one phrase or several; empty: nothing. */
export type LookedFor = string | readonly string[]
export const LOOKED_FOR: InjectionKey<Readonly<Ref<LookedFor>>> = Symbol('looked for')
export const useLookedFor = (): Readonly<Ref<LookedFor>> => inject(LOOKED_FOR, ref(''))

/** What stands under a message besides its own state: a rule that it broke, money in it. `to`: where more of it is told. */
export interface Mark {
  text: string
  bad: boolean
  to?: string
}
export const MARKED_WITH: InjectionKey<Readonly<Ref<ReadonlyMap<number, readonly Mark[]>>>> = Symbol('marked with')
export const useMarks = (): Readonly<Ref<ReadonlyMap<number, readonly Mark[]>>> => inject(MARKED_WITH, ref(new Map()))

/** Wide letters as narrow ones, without case; a letter that would become several stays, so that places remain places. */
function folded(text: string): string {
  return [...text]
    .map((letter) => {
      const small = letter.normalize('NFKC').toLowerCase()
      return small.length === letter.length ? small : letter
    })
    .join('')
}

/** Splits a text where words were found, whatever their case. */
export function pieces(text: string, words: LookedFor | undefined): { text: string; hit: boolean }[] {
  const wanted = (typeof words === 'string' ? [words] : (words ?? [])).map((word) => folded(word.trim())).filter(Boolean)
  if (wanted.length === 0) return [{ text, hit: false }]
  const said = folded(text)
  const hit = new Uint8Array(text.length)
  for (const word of wanted) {
    for (let at = said.indexOf(word); at >= 0; at = said.indexOf(word, at + 1)) hit.fill(1, at, at + word.length)
  }
  const found: { text: string; hit: boolean }[] = []
  for (let from = 0; from < text.length; ) {
    let to = from + 1
    while (to < text.length && hit[to] === hit[from]) to += 1
    found.push({ text: text.slice(from, to), hit: hit[from] === 1 })
    from = to
  }
  return found
}
