import { useInbox } from '@/stores/inbox'
import { useThreads } from '@/stores/threads'

/** A conversation is out of our sight: nothing of it stays on the page. */
export function onGone(push: { conversation_id: number }): void {
  useThreads().forget(push.conversation_id)
  useInbox().forget(push.conversation_id)
}
