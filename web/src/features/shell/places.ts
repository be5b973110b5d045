import { BarChart3, CalendarCheck, ChartPie, Library, Megaphone, MessageSquareText, MessagesSquare, QrCode, Settings, ShieldCheck, UserPlus, Users, Waves } from 'lucide-vue-next'
import type { Component } from 'vue'

/** The main places, in the order of the rail. One shows when its route exists and the permission is there. */
export interface Place {
  /** The name of its route. */
  name: string
  title: string
  /** For the rail, where the title is too long for it. */
  short?: string
  icon: Component
  permission?: string
}

export const PLACES: readonly Place[] = [
  { name: 'inbox', title: 'nav.inbox', icon: MessageSquareText, permission: 'inbox.read' },
  { name: 'customers', title: 'lists.title', icon: Users, permission: 'customers.read' },
  { name: 'today', title: 'followups.place', icon: CalendarCheck, permission: 'customers.write' },
  { name: 'pool', title: 'owners.pool', short: 'nav.short.pool', icon: Waves, permission: 'customers.read' },
  { name: 'campaigns', title: 'nav.campaigns', icon: Megaphone, permission: 'campaigns.read' },
  { name: 'audit', title: 'nav.audit', icon: ShieldCheck, permission: 'audit.read' },
  { name: 'reports', title: 'nav.reports', icon: ChartPie, permission: 'customers.reports' },
  { name: 'groups', title: 'nav.groups', short: 'nav.short.groups', icon: MessagesSquare, permission: 'customers.read' },
  { name: 'team', title: 'rights.place.team', icon: BarChart3, permission: 'inbox.team' },
  { name: 'codes', title: 'codes.place', icon: QrCode, permission: 'codes.manage' },
  { name: 'invites', title: 'nav.invites', icon: UserPlus, permission: 'campaigns.read' },
  { name: 'library', title: 'rights.place.library', icon: Library, permission: 'library.read' },
]

/** At the foot of the rail. */
export const SETTINGS: Place = { name: 'settings', title: 'rights.place.settings', icon: Settings }
