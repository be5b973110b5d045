import { AlarmClock, Archive, Bell, CalendarClock, CircleUserRound, ClipboardCheck, IdCard, KeyRound, ListPlus, LockKeyhole, Megaphone, MessageSquareReply, MessagesSquare, Network, NotebookPen, Palette, Plug, Route, ShieldCheck, Siren, SquareKanban, Star, Tag, Tags, UsersRound, Wand2, Waves } from 'lucide-vue-next'
import type { Component } from 'vue'

/**
 * Every page under /settings, in the order of the navigation. A new page is one entry here: it gets its address, its route
 * (named `name`), its place in the navigation and the check of its permission.
 */

export const GROUPS = ['mine', 'company', 'channels', 'inbox', 'customers', 'library', 'security'] as const
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
  { name: 'appearance', path: 'appearance', group: 'mine', title: 'rights.section.appearance', icon: Palette, component: () => import('@/features/me/Appearance.vue') },
  { name: 'my-security', path: 'security', group: 'mine', title: 'rights.section.mySecurity', icon: ShieldCheck, component: () => import('@/features/me/MySecurity.vue') },
  { name: 'my-tokens', path: 'tokens', group: 'mine', title: 'rights.section.tokens', icon: KeyRound, component: () => import('@/features/me/MyTokens.vue') },
  { name: 'notices', path: 'notices', group: 'mine', title: 'together.notice.page', icon: Bell, component: () => import('@/features/bell/NoticeSettings.vue') },
  { name: 'my-quality', path: 'quality', group: 'mine', title: 'rights.section.myQuality', icon: ClipboardCheck, component: () => import('@/features/quality/MyQuality.vue') },

  { name: 'people', path: 'people', group: 'company', permission: 'agents.read', title: 'rights.section.people', icon: UsersRound, component: () => import('@/features/admin/People.vue') },
  { name: 'teams', path: 'teams', group: 'company', permission: 'agents.read', title: 'rights.section.teams', icon: Network, component: () => import('@/features/people/Teams.vue') },
  { name: 'roles', path: 'roles', group: 'company', permission: 'agents.read', title: 'rights.section.roles', icon: IdCard, component: () => import('@/features/roles/Roles.vue') },

  { name: 'connections', path: 'connections', group: 'channels', permission: 'connections.read', title: 'rights.section.connections', icon: Plug, component: () => import('@/features/admin/Connections.vue') },
  { name: 'accounts', path: 'accounts', group: 'channels', permission: 'connections.read', title: 'rights.section.accounts', icon: MessagesSquare, component: () => import('@/features/admin/Accounts.vue') },
  { name: 'archives', path: 'archives', group: 'channels', permission: 'connections.read', title: 'rights.section.archives', icon: Archive, component: () => import('@/features/archive/ArchivePage.vue') },
  { name: 'events', path: 'events', group: 'channels', permission: 'events.read', title: 'rights.section.events', icon: Siren, component: () => import('@/features/admin/Events.vue') },

  { name: 'labels', path: 'labels', group: 'inbox', permission: 'inbox.settings', title: 'together.label.page', icon: Tags, component: () => import('@/features/labels/Labels.vue') },
  { name: 'hours', path: 'hours', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.hours', icon: CalendarClock, component: () => import('@/features/flow/HoursPage.vue') },
  { name: 'rules', path: 'rules', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.assignment', icon: Route, component: () => import('@/features/flow/RulesPage.vue') },
  { name: 'answers', path: 'answers', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.answer', icon: MessageSquareReply, component: () => import('@/features/flow/AnswersPage.vue') },
  { name: 'sla', path: 'sla', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.sla', icon: AlarmClock, component: () => import('@/features/flow/SlaPage.vue') },
  { name: 'surveys', path: 'surveys', group: 'inbox', permission: 'inbox.settings', title: 'flow.section.survey', icon: Star, component: () => import('@/features/flow/SurveyPage.vue') },

  { name: 'follow-ups', path: 'follow-ups', group: 'company', permission: 'customers.settings', title: 'followups.settings.page', icon: NotebookPen, component: () => import('@/features/followups/FollowUpSettings.vue') },
  { name: 'pool-rules', path: 'pool', group: 'customers', permission: 'customers.settings', title: 'flow.pool.title', icon: Waves, component: () => import('@/features/owners/PoolRules.vue') },
  { name: 'stages', path: 'stages', group: 'customers', permission: 'customers.settings', title: 'stages.set.stages', icon: SquareKanban, component: () => import('@/features/stages/StagesPage.vue') },
  { name: 'customer-tags', path: 'tags', group: 'customers', permission: 'customers.settings', title: 'stages.set.tags', icon: Tag, component: () => import('@/features/stages/TagsPage.vue') },
  { name: 'customer-fields', path: 'customer-fields', group: 'customers', permission: 'customers.settings', title: 'lists.fields.page', icon: ListPlus, component: () => import('@/features/lists/FieldsPage.vue') },
  { name: 'campaign-rules', path: 'campaigns', group: 'customers', permission: 'campaigns.settings', title: 'life.rules.title', icon: Megaphone, component: () => import('@/features/campaignRules/CampaignRulesPage.vue') },

  { name: 'macros', path: 'macros', group: 'library', permission: 'library.read', title: 'compose.macro.title', icon: Wand2, component: () => import('@/features/library/Macros.vue') },

  { name: 'sign-in-rules', path: 'sign-in', group: 'security', permission: 'company.manage', title: 'rights.section.signIn', icon: LockKeyhole, component: () => import('@/features/security/SignInRules.vue') },
]
