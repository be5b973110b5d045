import { ArchiveRestore, ClipboardCheck, FileCheck2, HandCoins, Hash, ScanText, ScrollText, Siren, TextSearch } from 'lucide-vue-next'
import type { Component } from 'vue'

/** Every page under /audit, in the order of its tabs. A new page is one entry here: address, route, tab and permission. */
export interface AuditSection {
  /** The name of its route. */
  name: string
  /** Below /audit/; empty: /audit itself. */
  path: string
  /** Who may open it; others do not see the tab, and are told why when they come by address. */
  permission: string
  /** The key of its name; in the words that come with this place (`i18n/late/audit.ts`). */
  title: string
  icon: Component
  component: () => Promise<unknown>
  /** Addresses of the same page that have no tab of their own. */
  more?: readonly string[]
}

export const SECTIONS: readonly AuditSection[] = [
  { name: 'audit', path: '', permission: 'audit.read', title: 'audit.tab.search', icon: TextSearch, component: () => import('./finder/FinderPage.vue') },
  { name: 'money', path: 'money', permission: 'audit.read', title: 'audit.tab.money', icon: HandCoins, component: () => import('@/features/money/MoneyPage.vue') },
  { name: 'alerts', path: 'alerts', permission: 'audit.read', title: 'audit.tab.alerts', icon: Siren, component: () => import('@/features/alerts/AlertsPage.vue') },
  { name: 'audit-rules', path: 'rules', permission: 'audit.read', title: 'audit.tab.rules', icon: ScanText, component: () => import('@/features/rules/RulesPage.vue') },
  { name: 'quality', path: 'quality', permission: 'audit.read', title: 'audit.tab.quality', icon: ClipboardCheck, component: () => import('@/features/quality/QualityPage.vue') },
  { name: 'words', path: 'words', permission: 'audit.read', title: 'audit.tab.words', icon: Hash, component: () => import('@/features/words/WordsPage.vue') },
  { name: 'evidence', path: 'evidence', permission: 'audit.evidence', title: 'audit.tab.evidence', icon: FileCheck2, component: () => import('@/features/evidence/EvidencePage.vue') },
  { name: 'trail', path: 'trail', permission: 'trail.read', title: 'audit.tab.trail', icon: ScrollText, component: () => import('@/features/security/Trail.vue') },
  { name: 'retention', path: 'retention', permission: 'audit.retention', title: 'audit.tab.retention', icon: ArchiveRestore, component: () => import('@/features/retention/RetentionPage.vue') },
]
