import { describe, expect, it } from 'vitest'
import { differenceOf } from '@/features/contents/draft'

describe('differenceOf', () => {
  it('finds what was changed in the middle', () => {
    expect(differenceOf('满 300 减 20，周五前有效', '满 300 减 50，周日前有效')).toEqual({ same: '满 300 减 ', before: '20，周五', now: '50，周日', rest: '前有效' })
  })
  it('knows what was added, taken away, and nothing', () => {
    expect(differenceOf('早', '早上好')).toEqual({ same: '早', before: '', now: '上好', rest: '' })
    expect(differenceOf('早上好', '早')).toEqual({ same: '早', before: '上好', now: '', rest: '' })
    expect(differenceOf('早', '早')).toEqual({ same: '早', before: '', now: '', rest: '' })
  })
  it('does not count a letter for the beginning and for the end', () => {
    expect(differenceOf('aa', 'aaa')).toEqual({ same: 'aa', before: '', now: 'a', rest: '' })
  })
  it('never cuts an emoji in half', () => {
    expect(differenceOf('好😀', '好😁')).toEqual({ same: '好', before: '😀', now: '😁', rest: '' })
  })
})
