import { AlarmClock, Bell, CalendarClock, CircleUserRound, MessageSquareReply, Plug, Route, Siren, Star, Tags, UsersRound } from 'lucide-vue-next'
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
  { name: 'notices', path: 'notices', group: 'mine', title: 'together.notice.page', icon: Bell, component: () => import('@/features/bell/NoticeSettings.vue') },

  { name: 'people', path: 'people', group: 'company', permission: 'agents.read', title: 'rights.section.people', icon: UsersRound, component: () => import('@/features/admin/People.vue') },

  { name: 'connections', path: 'connections', group: 'channels', permission: 'connections.read', title: 'rights.section.connections', icon: Plug, component: () => import('@/features/admin/Connections.vue') },
  { name: 'events', path: 'events', group: 'channels', permission: 'events.read', title: 'rights.section.events', icon: Siren, component: () => import('@/features/admin/Events.vue') },

  { name: 'labels', path: 'labels', group: 'inbox', permission: 'inbox.settings', title: 'together.label.page', icon: Tags, component: () => import('@/features/labels/Labels.vue') },
  { name: 'hours', path: 'hours', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.hours', icon: CalendarClock, component: () => import('@/features/flow/HoursPage.vue') },
  { name: 'rules', path: 'rules', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.assignment', icon: Route, component: () => import('@/features/flow/RulesPage.vue') },
  { name: 'answers', path: 'answers', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.answer', icon: MessageSquareReply, component: () => import('@/features/flow/AnswersPage.vue') },
  { name: 'sla', path: 'sla', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.sla', icon: AlarmClock, component: () => import('@/features/flow/SlaPage.vue') },
  { name: 'surveys', path: 'surveys', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.survey', icon: Star, component: () => import('@/features/flow/SurveyPage.vue') },
]
