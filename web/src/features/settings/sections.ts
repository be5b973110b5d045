import { CircleUserRound, Plug, Siren, UsersRound } from 'lucide-vue-next'
import type { Component } from 'vue'

/**
 * Every page under /settings, in the order of the navigation. A new page is one entry here: it gets its address, its route
 * (named `name`), its place in the navigation and the check of its permission.
 */

export const GROUPS = ['mine', 'company', 'channels', 'inbox', 'library', 'security'] as const
export type Group = (typeof GROUPS)[number]

export interface Section {
  /** The name of the route. */
  name: string
  /** Below /settings/. */
  path: string
  group: Group
  /** Who may open it; absent: everybody. Others do not see it in the navigation, and are told why when they come by address. */
  permission?: string
  /** The key of its name. */
  title: string
  icon: Component
  component: () => Promise<unknown>
}

export const SECTIONS: readonly Section[] = [
  { name: 'me', path: 'me', group: 'mine', title: 'rights.section.me', icon: CircleUserRound, component: () => import('@/features/me/Profile.vue') },

  { name: 'people', path: 'people', group: 'company', permission: 'agents.read', title: 'rights.section.people', icon: UsersRound, component: () => import('@/features/admin/People.vue') },

  { name: 'connections', path: 'connections', group: 'channels', permission: 'connections.read', title: 'rights.section.connections', icon: Plug, component: () => import('@/features/admin/Connections.vue') },
  { name: 'events', path: 'events', group: 'channels', permission: 'events.read', title: 'rights.section.events', icon: Siren, component: () => import('@/features/admin/Events.vue') },
]
