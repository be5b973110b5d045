import { defineStore } from 'pinia'
import { ref } from 'vue'
import { api } from '@/api'
import { ApiError } from '@/api/client'
import type { AttachmentView, ChannelView, Kind } from '@/api/types'
import type { Piece } from '@/model/pieces'
import { kindForFile } from '@/model/writability'

/** A file that is uploaded for the next answer. */
export interface FileItem {
  key: number
  type: 'file'
  file: File
  kind: Kind
  /** A local picture of it, for images. */
  preview: string
  progress: number
  done: AttachmentView | null
  trouble: unknown
}

/** A piece that came from the library; its text may be changed. */
export interface PieceItem {
  key: number
  type: 'piece'
  piece: Piece
  title: string
}

export type TrayItem = FileItem | PieceItem

export interface Refusal {
  why: 'kind' | 'size' | 'type'
  name: string
  limit: number
}

interface Tray {
  items: TrayItem[]
  refusals: Refusal[]
  quickReplyId: number | null
}

/** What waits beside the words of an answer, per conversation: turning to another customer and back loses nothing, and uploads
 * go on meanwhile. */
export const useTrays = defineStore('trays', () => {
  const trays = ref(new Map<number, Tray>())
  const uploads = new Map<number, AbortController>()
  let last = 0

  function of(id: number): Tray {
    return trays.value.get(id) ?? { items: [], refusals: [], quickReplyId: null }
  }

  function held(id: number): Tray {
    const known = trays.value.get(id)
    if (known) return known
    trays.value.set(id, { items: [], refusals: [], quickReplyId: null })
    return trays.value.get(id) as Tray
  }

  function addFiles(id: number, files: readonly File[], channel: ChannelView | undefined): void {
    if (!channel) return
    const tray = held(id)
    tray.refusals = []
    for (const file of files) {
      const verdict = kindForFile(file, channel)
      if ('refused' in verdict) {
        tray.refusals.push({ why: verdict.refused, name: file.name, limit: verdict.limit })
        continue
      }
      last += 1
      const preview = file.type.startsWith('image/') ? URL.createObjectURL(file) : ''
      tray.items.push({ key: last, type: 'file', file, kind: verdict.kind, preview, progress: 0, done: null, trouble: null })
      void upload(id, last)
    }
  }

  function addPieces(id: number, pieces: readonly { piece: Piece; title: string }[], quickReplyId: number | null): void {
    const tray = held(id)
    for (const { piece, title } of pieces) {
      last += 1
      tray.items.push({ key: last, type: 'piece', piece, title })
    }
    if (quickReplyId !== null) tray.quickReplyId = quickReplyId
  }

  function useReply(id: number, quickReplyId: number): void {
    held(id).quickReplyId = quickReplyId
  }

  function fileOf(id: number, key: number): FileItem | undefined {
    const item = of(id).items.find((one) => one.key === key)
    return item?.type === 'file' ? item : undefined
  }

  async function upload(id: number, key: number): Promise<void> {
    const item = fileOf(id, key)
    if (!item) return
    const abort = new AbortController()
    uploads.set(key, abort)
    Object.assign(item, { trouble: null, progress: 0 })
    const change = (update: Partial<FileItem>): void => {
      const now = fileOf(id, key)
      if (now) Object.assign(now, update)
    }
    try {
      const done = await api.upload(item.file, item.file.name || 'image.png', (progress) => change({ progress }), abort.signal)
      change({ done, progress: 1 })
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'aborted')) change({ trouble: error })
    } finally {
      uploads.delete(key)
    }
  }

  /** The network is back: what failed only for that is tried again. */
  function kick(): void {
    for (const [id, tray] of trays.value) {
      for (const item of tray.items) {
        if (item.type === 'file' && item.trouble instanceof ApiError && item.trouble.passing) void upload(id, item.key)
      }
    }
  }

  function setText(id: number, key: number, text: string): void {
    const item = of(id).items.find((one) => one.key === key)
    if (item?.type === 'piece') item.piece = { ...item.piece, text }
  }

  function remove(id: number, key: number): void {
    uploads.get(key)?.abort()
    const tray = held(id)
    const item = tray.items.find((one) => one.key === key)
    if (item?.type === 'file' && item.preview) URL.revokeObjectURL(item.preview)
    tray.items = tray.items.filter((one) => one.key !== key)
  }

  function clear(id: number): void {
    for (const item of of(id).items) remove(id, item.key)
    trays.value.delete(id)
  }

  /** Hands everything over, and is empty afterwards. Nothing when something is not uploaded yet. */
  function take(id: number): { pieces: Piece[]; quickReplyId: number | null } | null {
    const { items, quickReplyId } = of(id)
    if (items.some((item) => item.type === 'file' && item.done === null)) return null
    const pieces = items.map((item): Piece => {
      if (item.type === 'piece') return item.piece
      const done = item.done as AttachmentView
      return { kind: item.kind, text: '', content: {}, source: { attachment_id: done.id }, file: done }
    })
    clear(id)
    return { pieces, quickReplyId }
  }

  return { trays, of, addFiles, addPieces, useReply, upload, kick, setText, remove, clear, take }
})
