import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/api/client'
import type { MessageView } from '@/api/types'
import { Sender } from '@/live/sender'
import { OutboxStorage, requestOf, type OutboxEntry } from '@/model/outbox'
import { messageView } from './world'

function entry(token: string, change: Partial<OutboxEntry> = {}): OutboxEntry {
  return {
    token,
    conversationId: 1,
    kind: 'text',
    text: token,
    content: {},
    attachment: null,
    createdAt: `2026-01-01T00:00:0${token.length}Z`,
    state: 'waiting',
    attempts: 0,
    refusal: null,
    ...change,
  }
}

type Answer = 'yes' | ApiError

/** A service that answers as told, in order, then always yes. */
function setUp(answers: Answer[] = [], saved: OutboxEntry[] = []) {
  const storage = new OutboxStorage(localStorage, 7)
  for (const one of saved) storage.save(one)
  const asked: string[] = []
  const sent: MessageView[] = []
  const sender = new Sender({
    storage,
    send: async (one) => {
      asked.push(one.token)
      const answer = answers.shift() ?? 'yes'
      if (answer !== 'yes') throw answer
      return [messageView({ client_token: one.token })]
    },
    onSent: (messages) => sent.push(...messages),
    onChange: () => undefined,
    random: () => 0.5,
  })
  return { sender, storage, asked, sent }
}

const lost = () => new ApiError(0, 'offline', '')
const busy = () => new ApiError(503, 'unavailable', '')
const slow = (seconds: number) => new ApiError(429, 'too_many', '', {}, seconds)
const refused = () => new ApiError(409, 'window_closed', 'closed')

beforeEach(() => {
  localStorage.clear()
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the sender', () => {
  it('keeps an entry until it is acknowledged, and asks with the same token again', async () => {
    const { sender, storage, asked } = setUp([lost(), busy()])
    sender.add(entry('a'))
    await vi.advanceTimersByTimeAsync(0)
    expect(storage.load().map((one) => one.token)).toEqual(['a'])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toEqual(['a', 'a', 'a'])
    expect(sender.list()).toEqual([])
    expect(storage.load()).toEqual([])
  })

  it('sends in order within a conversation, and lets others pass', async () => {
    const { sender, asked } = setUp([lost()])
    sender.add(entry('a'))
    sender.add(entry('bb'))
    sender.add(entry('ccc', { conversationId: 2 }))
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toEqual(['a', 'ccc'])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toEqual(['a', 'ccc', 'a', 'bb'])
  })

  it('takes one token once', async () => {
    const { sender, asked } = setUp()
    sender.add(entry('a'))
    sender.add(entry('a'))
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toEqual(['a'])
  })

  it('does not repeat what was refused, says why, and goes on with the next', async () => {
    const { sender, asked, storage } = setUp([refused()])
    sender.add(entry('a'))
    sender.add(entry('bb'))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(asked).toEqual(['a', 'bb'])
    expect(sender.list()).toMatchObject([{ token: 'a', state: 'refused', refusal: { code: 'window_closed' } }])
    expect(sender.discard('a')?.text).toBe('a')
    expect(storage.load()).toEqual([])
  })

  it('waits as long as it is told', async () => {
    const { sender, asked } = setUp([slow(20)])
    sender.add(entry('a'))
    await vi.advanceTimersByTimeAsync(19_000)
    expect(asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1_100)
    expect(asked).toHaveLength(2)
  })

  it('survives a reload: what was under way is tried again with its token', async () => {
    const { sender, asked } = setUp([], [entry('a', { state: 'sending', attempts: 1 })])
    expect(sender.list()[0]?.state).toBe('waiting')
    sender.kick()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toEqual(['a'])
    expect(sender.list()).toEqual([])
  })

  it('is satisfied by a pushed message although the answer was lost', async () => {
    const { sender, asked } = setUp([lost()])
    sender.add(entry('a'))
    await vi.advanceTimersByTimeAsync(0)
    sender.acknowledge('a')
    await vi.advanceTimersByTimeAsync(120_000)
    expect(asked).toEqual(['a'])
    expect(sender.list()).toEqual([])
  })

  it('waits for the next sign-in when the session is over', async () => {
    const { sender, asked } = setUp([new ApiError(401, 'signed_out', '')])
    sender.add(entry('a'))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(asked).toHaveLength(1)
    expect(sender.list()).toHaveLength(1)
    sender.kick()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toHaveLength(2)
  })

  it('never throws away what may have arrived', () => {
    const { sender } = setUp([], [entry('a')])
    expect(sender.discard('a')).toBeNull()
    expect(sender.list()).toHaveLength(1)
  })
})

describe('the outbox storage', () => {
  it('keeps agents apart and survives rubbish', () => {
    localStorage.setItem('scrm.outbox.7.x', '{broken')
    new OutboxStorage(localStorage, 8).save(entry('other'))
    new OutboxStorage(localStorage, 7).save(entry('mine'))
    expect(new OutboxStorage(localStorage, 7).load().map((one) => one.token)).toEqual(['mine'])
  })

  it('leaves out what a request does not need', () => {
    expect(requestOf(entry('a'))).toEqual({ client_token: 'a', kind: 'text', text: 'a' })
  })
})
