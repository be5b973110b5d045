import { describe, expect, it } from 'vitest'
import type { OutboxEntry } from '@/model/outbox'
import { isOf, requestOf, shownEntries, stackOf } from '@/model/outbox'
import { joined } from '@/model/drafts'
import { textPiece, variablesIn } from '@/model/pieces'
import { fromWall, presets, toWall } from '@/model/zone'

const entry = (change: Partial<OutboxEntry> = {}): OutboxEntry => ({
  token: 'abc',
  conversationId: 1,
  kind: 'text',
  text: '你好',
  content: {},
  attachment: null,
  createdAt: '2026-03-01T00:00:00Z',
  state: 'waiting',
  attempts: 0,
  refusal: null,
  ...change,
})

describe('an answer of several pieces', () => {
  const stack = entry({ text: '', pieces: [textPiece('一'), { ...textPiece(''), kind: 'image', source: { material_id: 7 } }], quickReplyId: 3, seenSeq: 9 })

  it('is asked for as one', () => {
    expect(stackOf(stack)).toEqual({
      client_token: 'abc',
      parts: [{ kind: 'text', text: '一' }, { kind: 'image', material_id: 7 }],
      quick_reply_id: 3,
      seen_seq: 9,
    })
  })

  it('is shown as its pieces, and known by their tokens', () => {
    const shown = shownEntries(stack)
    expect(shown.map((one) => [one.token, one.kind, one.stack?.last])).toEqual([
      ['abc-0', 'text', false],
      ['abc-1', 'image', true],
    ])
    expect(isOf(stack, 'abc-1')).toBe(true)
    expect(isOf(stack, 'abc-x')).toBe(false)
    expect(isOf(entry(), 'abc-1')).toBe(false)
  })

  it('of one piece is a plain message', () => {
    expect(requestOf(entry({ seenSeq: 4 }))).toEqual({ client_token: 'abc', kind: 'text', text: '你好', seen_seq: 4 })
  })
})

describe('two versions of a draft', () => {
  it.each([
    ['', '', ''],
    ['甲', '', '甲'],
    ['', '乙', '乙'],
    ['甲乙', '乙', '甲乙'],
    ['甲', '甲乙', '甲乙'],
    ['甲', '乙', '甲\n乙'],
  ])('%j and %j are %j', (theirs, mine, both) => {
    expect(joined(theirs, mine)).toBe(both)
  })
})

describe('variables', () => {
  it('are found once each', () => {
    expect(variablesIn('{{customer.name}} {{ today }} {{customer.name}} {{ }} {x}')).toEqual(['customer.name', 'today'])
  })
})

describe('the company’s time', () => {
  const at = Date.parse('2026-03-01T00:30:00Z')

  it.each([
    ['Asia/Shanghai', '2026-03-01T08:30'],
    ['America/New_York', '2026-02-28T19:30'],
    ['UTC', '2026-03-01T00:30'],
  ])('in %s', (zone, wall) => {
    expect(toWall(at, zone)).toBe(wall)
    expect(fromWall(wall, zone)).toBe(at)
  })

  it('holds across a change of the clocks', () => {
    for (const wall of ['2026-03-08T01:30', '2026-03-08T03:30', '2026-11-01T12:00']) expect(toWall(fromWall(wall, 'America/New_York'), 'America/New_York')).toBe(wall)
  })

  it('offers moments to come, none twice', () => {
    // A Sunday: tomorrow is Monday.
    const found = presets(at, 'Asia/Shanghai')
    expect(found.map((one) => [one.key, toWall(one.at, 'Asia/Shanghai')])).toEqual([
      ['hour', '2026-03-01T09:30'],
      ['evening', '2026-03-01T20:00'],
      ['morning', '2026-03-02T09:00'],
    ])
    expect(presets(Date.parse('2026-03-01T13:00:00Z'), 'Asia/Shanghai').map((one) => one.key)).toEqual(['hour', 'morning'])
  })
})
