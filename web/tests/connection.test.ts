import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoffMilliseconds } from '@/live/backoff'
import { Connection, SESSION_ENDED, type ConnectionState } from '@/live/connection'
import type { Push } from '@/api/types'

/** The other end of a socket, moved by hand. */
class Socket {
  readyState = 0
  sent: string[] = []
  onmessage: ((event: MessageEvent) => void) | null = null
  onclose: ((event: CloseEvent) => void) | null = null

  send(text: string): void {
    this.sent.push(text)
  }
  close(): void {
    this.readyState = 3
  }
  say(push: object | string): void {
    this.readyState = 1
    this.onmessage?.({ data: typeof push === 'string' ? push : JSON.stringify(push) } as MessageEvent)
  }
  cut(code = 1006): void {
    this.readyState = 3
    this.onclose?.({ code } as CloseEvent)
  }
}

const HELLO = { type: 'hello', agent_id: 1, server_time: '2026-01-01T00:00:00Z' }

function setUp() {
  const sockets: Socket[] = []
  const states: ConnectionState[] = []
  const frames: Push[] = []
  const connection = new Connection({
    url: 'ws://x/ws',
    onFrame: (push) => frames.push(push),
    onState: (state) => states.push(state),
    open: () => {
      const socket = new Socket()
      sockets.push(socket)
      return socket as unknown as WebSocket
    },
    random: () => 1,
  })
  const phase = () => states.at(-1)?.phase
  const last = () => {
    const socket = sockets.at(-1)
    if (!socket) throw new Error('no socket yet')
    return socket
  }
  return { connection, sockets, states, frames, phase, last }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the connection', () => {
  it('is open after hello, not before', () => {
    const { connection, phase, last, frames } = setUp()
    connection.start()
    expect(phase()).toBe('connecting')
    last().say(HELLO)
    expect(phase()).toBe('open')
    expect(frames).toHaveLength(1)
  })

  it('backs off further with each failure, and starts anew once everything worked', () => {
    const { connection, sockets, states, last } = setUp()
    connection.start()
    const waits: number[] = []
    for (let n = 0; n < 8; n += 1) {
      last().cut()
      const state = states.at(-1)
      waits.push(state?.phase === 'waiting' ? state.retryAt - Date.now() : -1)
      vi.advanceTimersByTime(waits.at(-1) ?? 0)
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000])
    expect(sockets).toHaveLength(9)
    last().say(HELLO)
    connection.settled()
    last().cut()
    const state = states.at(-1)
    expect(state?.phase === 'waiting' && state.retryAt - Date.now()).toBe(500)
  })

  it('counts a snapshot that cannot be read as a failure', () => {
    const { connection, phase, last, sockets } = setUp()
    connection.start()
    last().say(HELLO)
    connection.startOver()
    expect(phase()).toBe('waiting')
    expect(last().readyState).toBe(3)
    vi.advanceTimersByTime(500)
    expect(sockets).toHaveLength(2)
  })

  it('pings, and takes silence for death', () => {
    const { connection, phase, last, sockets } = setUp()
    connection.start()
    last().say(HELLO)
    vi.advanceTimersByTime(25_000)
    expect(last().sent).toEqual(['{"type":"ping"}'])
    last().say({ type: 'pong' })
    vi.advanceTimersByTime(25_000)
    expect(phase()).toBe('open')
    vi.advanceTimersByTime(10_000)
    expect(phase()).toBe('waiting')
    vi.advanceTimersByTime(500)
    expect(sockets).toHaveLength(2)
  })

  it('gives up a socket that never says hello', () => {
    const { connection, phase, sockets } = setUp()
    connection.start()
    vi.advanceTimersByTime(15_000)
    expect(phase()).toBe('waiting')
    vi.advanceTimersByTime(500)
    expect(sockets).toHaveLength(2)
  })

  it('does not come back after the session has ended', () => {
    const { connection, phase, last, sockets } = setUp()
    connection.start()
    last().say(HELLO)
    last().cut(SESSION_ENDED)
    expect(phase()).toBe('ended')
    vi.advanceTimersByTime(600_000)
    expect(sockets).toHaveLength(1)
  })

  it('ignores a socket that it has left, and frames that are no JSON', () => {
    const { connection, frames, last, sockets } = setUp()
    connection.start()
    last().say(HELLO)
    const old = last()
    old.cut()
    vi.advanceTimersByTime(500)
    old.say({ type: 'accounts' })
    last().say('not json')
    expect(frames).toHaveLength(1)
    expect(sockets).toHaveLength(2)
  })

  it('tries at once when it is nudged', () => {
    const { connection, last, sockets } = setUp()
    connection.start()
    last().cut()
    connection.nudge()
    expect(sockets).toHaveLength(2)
    last().say(HELLO)
    connection.nudge()
    expect(last().sent).toHaveLength(1)
  })

  it('stays away after stop', () => {
    const { connection, last, sockets, phase } = setUp()
    connection.start()
    last().cut()
    connection.stop()
    vi.advanceTimersByTime(600_000)
    expect(sockets).toHaveLength(1)
    expect(phase()).toBe('idle')
  })
})

describe('back-off', () => {
  it('doubles up to its bound and spreads over the upper half', () => {
    expect(backoffMilliseconds(0, () => 0)).toBe(250)
    expect(backoffMilliseconds(0, () => 1)).toBe(500)
    expect(backoffMilliseconds(100, () => 1)).toBe(30_000)
    expect(backoffMilliseconds(100, () => 0)).toBe(15_000)
  })
})
