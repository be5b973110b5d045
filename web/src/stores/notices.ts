import { defineStore } from 'pinia'
import { ref } from 'vue'

export interface Notice {
  id: number
  tone: 'good' | 'bad'
  text: string
}

/** Short statements at the edge of the page that go away by themselves. */
export const useNotices = defineStore('notices', () => {
  const notices = ref<Notice[]>([])
  let last = 0

  function say(tone: Notice['tone'], text: string): void {
    last += 1
    const id = last
    notices.value = [...notices.value.slice(-2), { id, tone, text }]
    setTimeout(() => dismiss(id), tone === 'bad' ? 8000 : 3500)
  }

  function dismiss(id: number): void {
    notices.value = notices.value.filter((notice) => notice.id !== id)
  }

  return { notices, say, dismiss }
})
