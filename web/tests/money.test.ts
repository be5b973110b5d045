import { expect, test } from 'vitest'
import { fenOf } from '@/features/money/yuan'

test('what is typed in yuan is exact in fen', () => {
  expect(['5000', '0.1', '19.9', '1,234.56', '１'].map(fenOf)).toEqual([500000, 10, 1990, 123456, undefined])
  expect(['', ' '].map(fenOf)).toEqual([null, null])
  expect(['0', '-1', '1.234', 'x', '1e5'].map(fenOf)).toEqual([undefined, undefined, undefined, undefined, undefined])
})
