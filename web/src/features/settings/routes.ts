import type { RouteRecordRaw } from 'vue-router'
import { SECTIONS } from './sections'

/** Where pages lived before they were settings: links and bookmarks keep working, with what they ask for. */
const MOVED: Readonly<Record<string, string>> = { '/people': 'people', '/me': 'me', '/events': 'events' }

export const settingsRoutes: RouteRecordRaw[] = [
  {
    path: '/settings',
    component: () => import('./Settings.vue'),
    children: [
      { path: '', name: 'settings', component: { render: () => null }, meta: { title: 'rights.place.settings' } },
      ...SECTIONS.map(({ name, path, permission, title, component }) => ({
        path,
        name,
        component: component as () => Promise<{ default: object }>,
        meta: { permission, title },
      })),
    ],
  },
  ...Object.entries(MOVED).map(([path, name]) => ({ path, redirect: (to: { query: object }) => ({ name, query: { ...to.query } }) })),
]
