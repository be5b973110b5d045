import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { together } from '@/api/together'
import type { LabelView } from '@/api/types'

/** The company's labels, in order. Those put away are kept: conversations may still carry them. */
export const useLabels = defineStore('labels', () => {
  const labels = shallowRef<LabelView[]>([])
  const byId = computed(() => new Map(labels.value.map((label) => [label.id, label])))
  const offered = computed(() => labels.value.filter((label) => !label.archived))

  async function load(): Promise<void> {
    take((await together.labels()).labels)
  }

  function take(list: LabelView[]): void {
    labels.value = list
  }

  /** Those of a conversation, in the company's order. */
  function of(ids: readonly number[]): LabelView[] {
    return labels.value.filter((label) => ids.includes(label.id))
  }

  return { labels, byId, offered, load, take, of }
})
