import { describe, expect, it } from 'vitest'
import { timeline } from '@/model/timeline'
import type { OutboxEntry } from '@/model/outbox'
import { messageView } from './world'

const at = (minute: number) => new Date(2026, 0, 1, 10, minute).toISOString()

function pending(token: string, minute: number): OutboxEntry {
  return { token, conversationId: 1, kind: 'text', text: 'x', content: {}, attachment: null, createdAt: at(minute), state: 'waiting', attempts: 0, refusal: null }
}

describe('a timeline', () => {
  it('marks days, pauses and followers', () => {
    const marks = timeline(
      [
        messageView({ id: 1, seq: 1, sent_at: new Date(2025, 11, 31, 23, 0).toISOString() }),
        messageView({ id: 2, seq: 2, sent_at: at(0) }),
        messageView({ id: 3, seq: 3, sent_at: at(1) }),
        messageView({ id: 4, seq: 4, sent_at: at(50) }),
        messageView({ id: 5, seq: 5, sent_at: at(51), direction: 'out' }),
      ],
      [],
      null,
      1,
    ).map(({ marks: { day, pause, follows } }) => [day !== null, pause !== null, follows])
    expect(marks).toEqual([
      [true, false, false],
      [true, false, false],
      [false, false, true],
      [false, true, false],
      [false, false, false],
    ])
  })

  it('draws the unread line once, above the first unread message of the customer', () => {
    const rows = timeline(
      [1, 2, 3, 4].map((seq) => messageView({ id: seq, seq, sent_at: at(seq), direction: seq === 2 ? 'out' : 'in' })),
      [],
      1,
      1,
    )
    expect(rows.map((row) => row.marks.unread)).toEqual([false, false, true, false])
  })

  it('shows a send once: on its way, or as the message it became, under the same key', () => {
    const before = timeline([messageView()], [pending('tok', 5)], null, 1)
    const after = timeline([messageView(), messageView({ id: 2, seq: 2, client_token: 'tok', direction: 'out' })], [pending('tok', 5)], null, 1)
    expect(before.map((row) => row.type)).toEqual(['message', 'pending'])
    expect(after.map((row) => row.type)).toEqual(['message', 'message'])
    expect(after[1]?.key).toBe(before[1]?.key)
  })
})
