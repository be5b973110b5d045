import type { Posts } from '@/api/campaigns'
import type { Content } from '@/api/codes'
import { emptyDraft, type Draft } from '@/features/campaigns/draft'
import { fromContent } from '@/features/codes/draft'

/** A saved post as the editor of campaigns holds it: only its words count. */
export function draftOf(posts: Posts, name: string, zone: string): Draft {
  const variants = Object.entries(posts.variants ?? {}).map(([channel, said]) => [channel, fromContent(said as Content)])
  return { ...emptyDraft(zone), name, post: fromContent(posts.post as Content), variants: Object.fromEntries(variants) as Draft['variants'] }
}

export interface Difference {
  same: string
  before: string
  now: string
  rest: string
}

/** What stands between the common beginning and the common end of two texts. Counted in characters, never half of one. */
export function differenceOf(before: string, now: string): Difference {
  const [a, b] = [[...before], [...now]]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1
  const part = (text: string[], from: number, to: number): string => text.slice(from, to).join('')
  return { same: part(b, 0, start), before: part(a, start, a.length - end), now: part(b, start, b.length - end), rest: part(b, b.length - end, b.length) }
}
