import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { listApi, type ListQuery, type SavedView } from '@/api/list'
import { useUndo } from './undo'

/** Lists that people keep, one's own first. */
export const useSavedViews = defineStore('savedViews', () => {
  const views = shallowRef<SavedView[]>([])
  const load = async (): Promise<void> => void (views.value = (await listApi.views()).views)

  async function add(name: string, teamId: number | null, query: ListQuery): Promise<void> {
    views.value = (await listApi.addView(name, teamId, query)).views
  }

  async function change(id: number, body: Parameters<typeof listApi.changeView>[1]): Promise<void> {
    views.value = (await listApi.changeView(id, body)).views
  }

  async function remove(id: number): Promise<void> {
    views.value = (await listApi.deleteView(id)).views
  }

  useUndo().whenUndone((kind) => {
    if (kind.startsWith('saved_view.')) void load().catch(() => undefined)
  })
  return { views, load, add, change, remove }
})
