import { describe, expect, it } from 'vitest'
import type { ConversationPush, MessagePage } from '@/api/types'
import {
  newestSeq,
  oldestSeq,
  ordered,
  orderedEvents,
  repair,
  takeChanges,
  takeMessage,
  takeNewer,
  takeOlder,
  takePush,
  threadFrom,
  type Thread,
} from '@/model/thread'
import { messageView, randomness, World } from './world'

/** What the page does with a thread, with the pushes that reach it, late and not at all. */
class Reader {
  thread: Thread
  private olderAnswer: MessagePage | null = null
  private newerAnswer: MessagePage | null = null

  constructor(
    private readonly world: World,
    page: MessagePage = world.newest(1, 5),
  ) {
    this.thread = threadFrom(page)
  }

  push(push: ConversationPush): void {
    if (takePush(this.thread, push) === 'behind') this.catchUp(2)
  }

  catchUp(limit: number): void {
    for (;;) {
      const page = this.world.changes(1, this.thread.version, limit)
      takeChanges(this.thread, page)
      if (!page.more) return
    }
  }

  /** The service reads the page now; it arrives later. */
  askOlder(): void {
    if (this.thread.hasBefore && !this.olderAnswer) this.olderAnswer = this.world.before(1, oldestSeq(this.thread), 4)
  }

  askNewer(): void {
    if (this.thread.hasAfter && !this.newerAnswer) this.newerAnswer = this.world.after(1, newestSeq(this.thread), 4)
  }

  receiveOlder(): void {
    if (this.olderAnswer) this.repairSince(takeOlder(this.thread, this.olderAnswer))
    this.olderAnswer = null
  }

  receiveNewer(): void {
    if (this.newerAnswer) this.repairSince(takeNewer(this.thread, this.newerAnswer))
    this.newerAnswer = null
  }

  private repairSince(version: number | null): void {
    let since = version
    while (since !== null) {
      const page = this.world.changes(1, since, 3)
      repair(this.thread, page)
      since = page.more ? page.up_to_version : null
    }
  }

  /** What is held is what the service has, from the first message held to the last. */
  expectLevel(): void {
    const all = this.world.messages.get(1) ?? []
    const held = ordered(this.thread)
    const from = held[0]?.seq ?? 1
    const to = held.at(-1)?.seq ?? 0
    expect(held).toEqual(all.slice(from - 1, to))
    expect(this.thread.version).toBe(this.world.view(1).version)
    expect(this.thread.hasBefore).toBe(from > 1)
    if (!this.thread.hasAfter) expect(to).toBe(all.length)
    const lower = this.thread.hasBefore ? from : 0
    const upper = this.thread.hasAfter ? to : Number.POSITIVE_INFINITY
    expect(orderedEvents(this.thread)).toEqual(this.world.eventsOf(1).filter((one) => one.seq >= lower && one.seq <= upper))
  }
}

describe('a thread', () => {
  it('equals a fresh read after any order of pushes, repetitions and losses, once it has resumed', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = randomness(seed)
      const world = new World(1)
      for (let n = 0; n < 12; n += 1) world.arrive(1)
      world.happen(1, 'assigned')
      // Half of the readers begin at the end, half somewhere in the middle, as after a search.
      const reader = seed % 2 ? new Reader(world) : new Reader(world, world.around(1, 1 + Math.floor(random() * 12), 5))
      const underWay: ConversationPush[] = []
      for (let step = 0; step < 80; step += 1) {
        const dice = random()
        const push = dice < 0.35 ? world.arrive(1) : dice < 0.5 ? world.recall(1, random) : dice < 0.55 ? world.read(1) : dice < 0.65 ? world.happen(1, 'labelled') : null
        if (push && random() > 0.2) underWay.push(push)
        if (push && random() < 0.15) underWay.push(push)
        if (random() < 0.15) reader.askOlder()
        if (random() < 0.15) reader.receiveOlder()
        if (random() < 0.15) reader.askNewer()
        if (random() < 0.15) reader.receiveNewer()
        // Any that is under way may come next, or be lost.
        while (underWay.length > 0 && random() < 0.6) {
          const [next] = underWay.splice(Math.floor(random() * underWay.length), 1)
          if (next && random() > 0.1) reader.push(next)
        }
      }
      for (const late of underWay) reader.push(late)
      reader.receiveOlder()
      reader.receiveNewer()
      reader.catchUp(3)
      reader.expectLevel()
      // And again: what it has heard before changes nothing.
      for (const late of underWay) reader.push(late)
      reader.expectLevel()
    }
  })

  it('applies a push from its own version or before, ignores old ones and says when it is behind', () => {
    const world = new World(1)
    const first = world.arrive(1)
    const thread = threadFrom(world.newest(1, 50))
    const second = world.arrive(1)
    const third = world.arrive(1)
    expect(takePush(thread, first)).toBe('old')
    expect(takePush(thread, third)).toBe('behind')
    expect(ordered(thread)).toHaveLength(1)
    expect(takePush(thread, second)).toBe('taken')
    expect(takePush(thread, third)).toBe('taken')
    expect(ordered(thread).map((one) => one.seq)).toEqual([1, 2, 3])
  })

  it('does not let an answer to an action stand for other changes', () => {
    const world = new World(1)
    world.arrive(1)
    const thread = threadFrom(world.newest(1, 50))
    takeMessage(thread, messageView({ id: 9, seq: 3, version: 3, direction: 'out' }))
    expect(thread.version).toBe(1)
    expect(ordered(thread).map((one) => one.seq)).toEqual([1, 3])
  })

  it('in the middle leaves out what is newer than its end, until that is read', () => {
    const world = new World(1)
    for (let n = 0; n < 20; n += 1) world.arrive(1)
    const thread = threadFrom(world.around(1, 8, 4))
    const seqs = (): number[] => ordered(thread).map((one) => one.seq)
    expect([seqs(), thread.hasBefore, thread.hasAfter]).toEqual([[6, 7, 8, 9], true, true])
    expect(takePush(thread, world.arrive(1))).toBe('taken')
    expect(takePush(thread, world.happen(1, 'closed'))).toBe('taken')
    expect([seqs(), orderedEvents(thread)]).toEqual([[6, 7, 8, 9], []])
    expect(takeNewer(thread, world.after(1, newestSeq(thread), 50))).toBeNull()
    expect([newestSeq(thread), thread.hasAfter, orderedEvents(thread).length]).toEqual([21, false, 1])
    expect(takePush(thread, world.arrive(1))).toBe('taken')
    expect(newestSeq(thread)).toBe(22)
  })

  it('keeps the newer of two versions of one message', () => {
    const world = new World(1)
    world.arrive(1)
    const thread = threadFrom(world.newest(1, 50))
    takeMessage(thread, messageView({ version: 5, text: 'newer' }))
    takeMessage(thread, messageView({ version: 4, text: 'older' }))
    expect(ordered(thread)[0]?.text).toBe('newer')
  })
})
