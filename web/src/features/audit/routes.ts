import type { RouteRecordRaw } from 'vue-router'
import { SECTIONS } from './sections'

export const auditRoutes: RouteRecordRaw[] = [
  {
    path: '/audit',
    component: () => import('./AuditPage.vue'),
    children: [
      ...SECTIONS.map(({ name, path, permission, component }) => ({
        path,
        name,
        component: component as () => Promise<{ default: object }>,
        meta: { permission, title: 'nav.audit' },
      })),
    ],
  },
  // Where the trail lived before: bookmarks keep working.
  { path: '/settings/trail', redirect: (to) => ({ name: 'trail', query: { ...to.query } }) },
]
