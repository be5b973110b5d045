import { describe, expect, it } from 'vitest'
import { seenSeqOf } from '@/model/collision'
import { messageView } from './world'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString()
const by = (agent: number | null, seq: number, seconds: number) =>
  messageView({ id: seq, seq, direction: 'out', sent_at: ago(seconds), sender: { kind: 'agent', agent_id: agent, id: '', name: '' } })

describe('what a writer has seen', () => {
  it('is the newest message, whoever wrote it, when it has been there a while', () => {
    expect(seenSeqOf([messageView({ seq: 1 }), by(2, 2, 60), messageView({ id: 3, seq: 3, sent_at: ago(1) })], 1, NOW)).toBe(3)
  })

  it('does not hold what a colleague answered seconds ago, here or in the platform’s own client', () => {
    expect(seenSeqOf([messageView({ seq: 1 }), by(2, 2, 3)], 1, NOW)).toBe(1)
    expect(seenSeqOf([messageView({ seq: 1 }), by(null, 2, 3), messageView({ id: 3, seq: 3 })], 1, NOW)).toBe(1)
  })

  it('holds one’s own answers and knows nothing of an empty thread', () => {
    expect(seenSeqOf([messageView({ seq: 1 }), by(1, 2, 1)], 1, NOW)).toBe(2)
    expect(seenSeqOf([], 1, NOW)).toBeNull()
  })
})
