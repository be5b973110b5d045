import type { RouteLocationRaw, Router } from 'vue-router'
import type { NotificationView } from '@/api/types'

/** Where a notice leads: to its conversation, its customer, its campaign, or to one's day. Null: nowhere (any more). */
export function placeOf(notice: NotificationView, router: Router): RouteLocationRaw | null {
  if (notice.kind === 'alert') return { path: '/audit/alerts', query: notice.data.alert_id ? { alert: Number(notice.data.alert_id) } : {} }
  if (notice.conversation_id !== null) {
    const at = notice.seq === null ? {} : { at: notice.seq }
    const { name, query } = router.currentRoute.value
    return { name: 'inbox', params: { id: notice.conversation_id }, query: { ...(name === 'inbox' ? query : {}), ...at } }
  }
  if (notice.customer_id !== null) return { name: 'customer', params: { id: notice.customer_id } }
  if (notice.kind === 'task_due' || notice.kind === 'task_given') return { name: 'today', query: notice.task_id === null ? {} : { task: notice.task_id } }
  if (notice.kind === 'invites_today') return { name: 'invites-today' }
  if (notice.kind === 'quality_appealed') return { path: '/audit/quality' }
  if (notice.kind.startsWith('quality_')) return { path: '/settings/quality' }
  if (notice.kind.startsWith('campaign_')) return { path: `/campaigns/${Number(notice.data.campaign_id)}` }
  return null
}
