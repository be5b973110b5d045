import type { Pinia } from 'pinia'
import type { Router } from 'vue-router'
import { ordered } from '@/model/thread'
import { useInbox } from '@/stores/inbox'
import { useLive } from '@/stores/live'
import { useOutbox } from '@/stores/outbox'
import { useThreads } from '@/stores/threads'

/**
 * `window.__scrm.snapshot()`: a copy of what the page holds, for end-to-end tests to compare with the database.
 * `window.__scrm.pages()`: every page there is, for tests that visit all of them.
 * Read-only: changing the copies changes nothing. See web/README.md.
 */
export function exposeModel(pinia: Pinia, router: Router): void {
  const snapshot = () => {
    const inbox = useInbox(pinia)
    const live = useLive(pinia)
    const threads = useThreads(pinia)
    const copy = {
      connection: live.state.phase,
      level: live.level,
      selected: inbox.selected,
      counts: inbox.counts,
      list: inbox.list.map((row) => row.id),
      conversations: Object.fromEntries(
        [...inbox.held.values()].map(({ id, version, unread, last_seq, read_seq, status, assignee_id, preview }) => [
          id,
          { version, unread, last_seq, read_seq, status, assignee_id, preview },
        ]),
      ),
      threads: Object.fromEntries(
        [...threads.threads.values()].map((thread) => [
          thread.id,
          {
            version: thread.version,
            has_before: thread.hasBefore,
            has_after: thread.hasAfter,
            messages: ordered(thread).map(({ id, seq, version, state, kind, text, recalled_at, client_token }) => ({
              id,
              seq,
              version,
              state,
              kind,
              text,
              recalled: recalled_at !== null,
              client_token,
            })),
          },
        ]),
      ),
      outbox: useOutbox(pinia).entries.map(({ token, conversationId, state, attempts }) => ({
        token,
        conversation_id: conversationId,
        state,
        attempts,
      })),
    }
    return structuredClone(copy)
  }
  const pages = () =>
    router.getRoutes().flatMap(({ name, path, redirect }) => (redirect === undefined && name ? [{ name: String(name), path }] : []))
  Object.defineProperty(window, '__scrm', { value: Object.freeze({ snapshot, pages }), writable: false })
}
