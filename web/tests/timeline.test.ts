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

describe('what happened and what was said elsewhere', () => {
  const event = (id: number, seq: number, kind = 'closed') => ({ id, seq, version: id, at: '2026-01-01T00:00:30Z', kind, agent_id: 1, data: {} })
  const said = (id: number, sent_at: string) => messageView({ id, conversation_id: 2, seq: id, sent_at })

  it('stands after its message, and what only figures need stays out', () => {
    const messages = [messageView({ id: 1, seq: 1 }), messageView({ id: 2, seq: 2 })]
    const rows = timeline(messages, [], null, 1, { events: [event(1, 0, 'opened'), event(2, 1), event(3, 2), event(4, 2, 'answered')] })
    expect(rows.map((row) => row.key)).toEqual(['m1', 'e2', 'm2', 'e3'])
  })

  it('stands by time between the messages, and says where another conversation begins', () => {
    const messages = [
      messageView({ id: 1, seq: 1, sent_at: '2026-01-01T00:01:00Z' }),
      messageView({ id: 2, seq: 2, sent_at: '2026-01-01T00:03:00Z' }),
    ]
    const elsewhere = [said(7, '2026-01-01T00:00:00Z'), said(8, '2026-01-01T00:02:00Z'), said(9, '2026-01-01T00:02:30Z')]
    const rows = timeline(messages, [], null, 1, { elsewhere })
    expect(rows.map((row) => row.key)).toEqual(['x7', 'm1', 'x8', 'x9', 'm2'])
    expect(rows.map((row) => row.type === 'elsewhere' && row.begins)).toEqual([true, false, true, false, false])
  })
})
