import { defineStore } from 'pinia'
import { ref } from 'vue'
import { compose, type Scheduled } from '@/api/compose'
import type { ConversationPush } from '@/api/types'

/** Answers that leave later, of the conversations that were opened. The events of a push say when they changed. */
export const useScheduled = defineStore('scheduled', () => {
  const held = ref(new Map<number, Scheduled[]>())
  const zone = ref('Asia/Shanghai')
  let asked = false

  const of = (id: number): Scheduled[] => held.value.get(id) ?? []

  async function load(id: number): Promise<void> {
    if (!asked) {
      asked = true
      compose.company().then(
        (company) => (zone.value = company.zone),
        () => (asked = false),
      )
    }
    held.value.set(id, (await compose.scheduled(id)).scheduled)
  }

  function heard(push: ConversationPush): void {
    const id = push.conversation.id
    if (held.value.has(id) && push.events.some((event) => event.kind.startsWith('schedule'))) void load(id).catch(() => undefined)
  }

  function resync(): void {
    for (const id of held.value.keys()) void load(id).catch(() => undefined)
  }

  return { held, zone, of, load, heard, resync }
})
