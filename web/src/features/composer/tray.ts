import { ref } from 'vue'
import { api } from '@/api'
import { ApiError } from '@/api/client'
import type { AttachmentView, ChannelView, Kind } from '@/api/types'
import { kindForFile } from '@/model/writability'
import { bytes } from '@/ui/text'
import { useWords } from '@/ui/words'

export interface TrayItem {
  key: number
  file: File
  kind: Kind
  /** A local picture of it, for images. */
  preview: string
  progress: number
  done: AttachmentView | null
  trouble: string
}

export interface ReadyItem {
  kind: Kind
  done: AttachmentView
}

/** Files chosen for sending: uploaded at once, sent when the rep says so. */
export function useTray(channel: () => ChannelView | undefined) {
  const { t, problem } = useWords()
  const items = ref<TrayItem[]>([])
  const refusals = ref<string[]>([])
  const uploads = new Map<number, AbortController>()
  let last = 0

  function add(files: readonly File[]): void {
    refusals.value = []
    const able = channel()
    if (!able) return
    for (const file of files) {
      const verdict = kindForFile(file, able)
      if ('refused' in verdict) {
        refusals.value.push(t(`composer.refused.${verdict.refused}`, { name: file.name, limit: bytes(verdict.limit) }))
        continue
      }
      last += 1
      const preview = file.type.startsWith('image/') ? URL.createObjectURL(file) : ''
      items.value.push({ key: last, file, kind: verdict.kind, preview, progress: 0, done: null, trouble: '' })
      void start(last)
    }
  }

  function change(key: number, update: Partial<TrayItem>): void {
    const item = items.value.find((held) => held.key === key)
    if (item) Object.assign(item, update)
  }

  async function start(key: number): Promise<void> {
    const item = items.value.find((held) => held.key === key)
    if (!item) return
    const abort = new AbortController()
    uploads.set(key, abort)
    change(key, { trouble: '', progress: 0 })
    try {
      const done = await api.upload(item.file, item.file.name || 'image.png', (progress) => change(key, { progress }), abort.signal)
      change(key, { done, progress: 1 })
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'aborted')) change(key, { trouble: problem(error) })
    } finally {
      uploads.delete(key)
    }
  }

  function remove(key: number): void {
    uploads.get(key)?.abort()
    const item = items.value.find((held) => held.key === key)
    if (item?.preview) URL.revokeObjectURL(item.preview)
    items.value = items.value.filter((held) => held.key !== key)
  }

  /** Hands over what is uploaded, and is empty afterwards. */
  function take(): ReadyItem[] {
    const ready = items.value.flatMap((item) => (item.done ? [{ kind: item.kind, done: item.done }] : []))
    clear()
    return ready
  }

  function clear(): void {
    for (const item of [...items.value]) remove(item.key)
    refusals.value = []
  }

  return { items, refusals, add, remove, retry: start, take, clear }
}
