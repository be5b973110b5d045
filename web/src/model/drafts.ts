/** Two versions of one draft, typed in two places, as one: nothing that was typed is lost, and nothing is there twice. */
export function joined(theirs: string, mine: string): string {
  const a = theirs.trim()
  const b = mine.trim()
  if (!b || a.includes(b)) return theirs
  if (!a || b.includes(a)) return mine
  return `${theirs.trimEnd()}\n${mine}`
}
