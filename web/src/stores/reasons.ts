import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { answerOf, routes } from '@/api/client'

export interface Ask {
  act: string
  objectId: number
}

/** Questions why somebody looks at what is not theirs. The service asks; a dialog answers; the request goes on. */
export const useReasons = defineStore('reasons', () => {
  const waiting = ref<(Ask & { answer: (told: boolean) => void; told: Promise<boolean> })[]>([])
  const current = computed<Ask | null>(() => waiting.value[0] ?? null)

  function ask(act: string, objectId: number): Promise<boolean> {
    const same = waiting.value.find((one) => one.act === act && one.objectId === objectId)
    if (same) return same.told
    let answer: (told: boolean) => void = () => undefined
    const told = new Promise<boolean>((resolve) => {
      answer = resolve
    })
    waiting.value = [...waiting.value, { act, objectId, answer, told }]
    return told
  }

  function answered(told: boolean): void {
    const [first, ...rest] = waiting.value
    waiting.value = rest
    first?.answer(told)
  }

  /** A file is fetched by the browser itself, which cannot answer: the question is asked before. */
  function watchDownloads(): () => void {
    async function clicked(event: MouseEvent): Promise<void> {
      const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[download][href^="/api/"]') : null
      if (!link || link.dataset.asked || event.button !== 0 || event.metaKey || event.ctrlKey) return
      event.preventDefault()
      const state = await answerOf(routes.GET('/api/reasons', { params: { query: { act: 'export' } } })).catch(() => ({ needed: false }))
      if (state.needed && !(await ask('export', 0))) return
      const copy = document.createElement('a')
      copy.href = link.href
      copy.download = link.download
      copy.dataset.asked = 'yes'
      document.body.append(copy)
      copy.click()
      copy.remove()
    }
    const heard = (event: MouseEvent): void => void clicked(event)
    document.addEventListener('click', heard)
    return () => document.removeEventListener('click', heard)
  }

  return { current, ask, answered, watchDownloads }
})
