import type { ConversationPush } from '@/api/types'
import { useBell } from '@/stores/bell'
import { useInbox } from '@/stores/inbox'
import { useOutbox } from '@/stores/outbox'
import { useScheduled } from '@/stores/scheduled'
import { useThreads } from '@/stores/threads'

/** A conversation changed: its row, its thread when held, and sends of ours that have become messages. */
export function onConversation(push: ConversationPush): void {
  useBell().heard(push)
  useInbox().takeView(push.conversation)
  useThreads().takePushed(push)
  useOutbox().acknowledge(push.messages)
  useScheduled().heard(push)
}
