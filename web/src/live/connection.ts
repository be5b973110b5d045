/** Keeps one socket to the service: connects, notices silence, backs off, connects again. Knows nothing of Vue. */

import type { Push } from '@/api/types'
import { backoffMilliseconds } from './backoff'

export type ConnectionState =
  | { phase: 'idle' }
  | { phase: 'connecting' }
  | { phase: 'open' }
  | { phase: 'waiting'; retryAt: number }
  | { phase: 'ended' }

export interface ConnectionOptions {
  url: string
  onFrame: (push: Push) => void
  onState: (state: ConnectionState) => void
  open?: (url: string) => WebSocket
  random?: () => number
}

/** The service closes with this code when the session is over. */
export const SESSION_ENDED = 4401

const PING_EVERY = 25_000
const ANSWER_WITHIN = 10_000
const OPEN_WITHIN = 15_000

export class Connection {
  private socket: WebSocket | null = null
  private attempt = 0
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private pingTimer: ReturnType<typeof setInterval> | undefined
  private silenceTimer: ReturnType<typeof setTimeout> | undefined
  private state: ConnectionState = { phase: 'idle' }

  constructor(private readonly options: ConnectionOptions) {}

  /** Connects now, unless it is connected or connecting. */
  start(): void {
    if (this.socket) return
    clearTimeout(this.retryTimer)
    this.enter({ phase: 'connecting' })
    const open = this.options.open ?? ((url: string) => new WebSocket(url))
    const socket = open(this.options.url)
    this.socket = socket
    this.expectWithin(OPEN_WITHIN)
    socket.onmessage = (event: MessageEvent) => this.receive(socket, event.data)
    socket.onclose = (event: CloseEvent) => this.closed(socket, event.code)
  }

  stop(): void {
    this.drop()
    clearTimeout(this.retryTimer)
    this.enter({ phase: 'idle' })
  }

  /** All that follows connecting worked too: the next failure is a first one again. */
  settled(): void {
    this.attempt = 0
  }

  /** What came after connecting did not work (the snapshot could not be read): drop the socket and back off. */
  startOver(): void {
    if (this.state.phase !== 'open' && this.state.phase !== 'connecting') return
    this.drop()
    this.retryLater()
  }

  /** The network came back or the page is looked at again: do not wait for timers. */
  nudge(): void {
    if (this.state.phase === 'waiting') this.start()
    else if (this.state.phase === 'open') this.ping()
  }

  /** Says something small that is true for a moment only; what cannot be said now is not said later. */
  say(what: Record<string, unknown>): void {
    if (this.state.phase === 'open' && this.socket?.readyState === 1) this.socket.send(JSON.stringify(what))
  }

  private receive(socket: WebSocket, data: unknown): void {
    if (socket !== this.socket) return
    clearTimeout(this.silenceTimer)
    let push: Push
    try {
      push = JSON.parse(String(data)) as Push
    } catch {
      return
    }
    if (push.type === 'hello') {
      clearInterval(this.pingTimer)
      this.pingTimer = setInterval(() => this.ping(), PING_EVERY)
      this.enter({ phase: 'open' })
    }
    if (push.type !== 'pong') this.options.onFrame(push)
  }

  private ping(): void {
    if (this.socket?.readyState !== 1) return
    this.socket.send('{"type":"ping"}')
    this.expectWithin(ANSWER_WITHIN)
  }

  /** A socket can be dead without closing: whatever arrives proves life, silence for too long proves nothing good. */
  private expectWithin(milliseconds: number): void {
    clearTimeout(this.silenceTimer)
    this.silenceTimer = setTimeout(() => {
      this.drop()
      this.retryLater()
    }, milliseconds)
  }

  private closed(socket: WebSocket, code: number): void {
    if (socket !== this.socket) return
    this.drop()
    if (code === SESSION_ENDED) this.enter({ phase: 'ended' })
    else this.retryLater()
  }

  private drop(): void {
    clearInterval(this.pingTimer)
    clearTimeout(this.silenceTimer)
    const socket = this.socket
    this.socket = null
    if (!socket) return
    socket.onmessage = null
    socket.onclose = null
    socket.close()
  }

  private retryLater(): void {
    const wait = backoffMilliseconds(this.attempt, this.options.random ?? Math.random)
    this.attempt += 1
    clearTimeout(this.retryTimer)
    this.retryTimer = setTimeout(() => this.start(), wait)
    this.enter({ phase: 'waiting', retryAt: Date.now() + wait })
  }

  private enter(state: ConnectionState): void {
    this.state = state
    this.options.onState(state)
  }
}
