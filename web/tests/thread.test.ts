import { describe, expect, it } from 'vitest'
import type { ConversationPush, MessagePage } from '@/api/types'
import { oldestSeq, ordered, repair, takeChanges, takeMessage, takeOlder, takePush, threadFrom, type Thread } from '@/model/thread'
import { messageView, randomness, World } from './world'

/** What the page does with a thread, with the pushes that reach it, late and not at all. */
class Reader {
  thread: Thread
  private olderAnswer: MessagePage | null = null

  constructor(private readonly world: World) {
    this.thread = threadFrom(world.newest(1, 5))
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

  receiveOlder(): void {
    if (!this.olderAnswer) return
    let since = takeOlder(this.thread, this.olderAnswer)
    this.olderAnswer = null
    while (since !== null) {
      const page = this.world.changes(1, since, 3)
      repair(this.thread, page.messages)
      since = page.more ? page.up_to_version : null
    }
  }

  expectLevel(): void {
    const all = this.world.messages.get(1) ?? []
    const held = ordered(this.thread)
    expect(held).toEqual(all.slice(all.length - held.length))
    expect(this.thread.version).toBe(this.world.view(1).version)
    expect(this.thread.hasBefore).toBe(held.length < all.length)
  }
}

describe('a thread', () => {
  it('equals a fresh read after any order of pushes, repetitions and losses, once it has resumed', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = randomness(seed)
      const world = new World(1)
      for (let n = 0; n < 12; n += 1) world.arrive(1)
      const reader = new Reader(world)
      const underWay: ConversationPush[] = []
      for (let step = 0; step < 80; step += 1) {
        const dice = random()
        const push = dice < 0.35 ? world.arrive(1) : dice < 0.5 ? world.recall(1, random) : dice < 0.55 ? world.read(1) : null
        if (push && random() > 0.2) underWay.push(push)
        if (push && random() < 0.15) underWay.push(push)
        if (random() < 0.15) reader.askOlder()
        if (random() < 0.15) reader.receiveOlder()
        // Any that is under way may come next, or be lost.
        while (underWay.length > 0 && random() < 0.6) {
          const [next] = underWay.splice(Math.floor(random() * underWay.length), 1)
          if (next && random() > 0.1) reader.push(next)
        }
      }
      for (const late of underWay) reader.push(late)
      reader.receiveOlder()
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

  it('keeps the newer of two versions of one message', () => {
    const world = new World(1)
    world.arrive(1)
    const thread = threadFrom(world.newest(1, 50))
    takeMessage(thread, messageView({ version: 5, text: 'newer' }))
    takeMessage(thread, messageView({ version: 4, text: 'older' }))
    expect(ordered(thread)[0]?.text).toBe('newer')
  })
})
