import type { Pinia } from 'pinia'
import { createRouter, createWebHistory, type Router } from 'vue-router'
import { auditRoutes } from '@/features/audit/routes'
import { settingsRoutes } from '@/features/settings/routes'
import { useSession } from '@/stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Who may see this page; others see why not. */
    permission?: string
    public?: boolean
    title?: string
  }
}

export function makeRouter(pinia: Pinia): Router {
  const session = useSession(pinia)
  const inbox = () => import('@/features/inbox/Inbox.vue')
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/sign-in', name: 'sign-in', component: () => import('@/features/session/SignIn.vue'), meta: { public: true } },
      { path: '/', name: 'home', component: () => import('@/features/shell/Lost.vue') },
      {
        path: '/inbox/:id(\\d+)?/:panel(customer)?',
        name: 'inbox',
        component: inbox,
        meta: { permission: 'inbox.read', title: 'nav.inbox' },
      },
      {
        path: '/team',
        name: 'team',
        component: () => import('@/features/flow/TeamPage.vue'),
        meta: { permission: 'inbox.team', title: 'flow.team.title' },
      },
      {
        path: '/customers',
        name: 'customers',
        component: () => import('@/features/lists/ListPage.vue'),
        meta: { permission: 'customers.read', title: 'lists.title' },
      },
      {
        path: '/customers/sheets',
        name: 'customers-sheets',
        component: () => import('@/features/lists/SheetsPage.vue'),
        meta: { permission: 'customers.read', title: 'lists.sheet.title' },
      },
      {
        path: '/customers/bin',
        name: 'customers-bin',
        component: () => import('@/features/lists/BinPage.vue'),
        meta: { permission: 'customers.delete', title: 'lists.bin.title' },
      },
      {
        path: '/customers/new',
        name: 'customer-new',
        component: () => import('@/features/customers/NewCustomerPage.vue'),
        meta: { permission: 'customers.write', title: 'whole.entry.title' },
      },
      {
        path: '/customers/duplicates',
        name: 'duplicates',
        component: () => import('@/features/customers/DuplicatesPage.vue'),
        meta: { permission: 'customers.merge', title: 'whole.duplicates.title' },
      },
      {
        path: '/customers/:id(\\d+)',
        name: 'customer',
        component: () => import('@/features/customers/CustomerPage.vue'),
        meta: { permission: 'customers.read', title: 'whole.title' },
      },
      {
        path: '/today',
        name: 'today',
        component: () => import('@/features/followups/TodayPage.vue'),
        meta: { permission: 'customers.read', title: 'followups.today.title' },
      },
      {
        path: '/calendar',
        name: 'calendar',
        component: () => import('@/features/followups/CalendarPage.vue'),
        meta: { permission: 'customers.read', title: 'followups.calendar.title' },
      },
      {
        path: '/reports/activity',
        name: 'activity',
        component: () => import('@/features/followups/ActivityPage.vue'),
        meta: { permission: 'customers.reports', title: 'followups.report.title' },
      },
      {
        path: '/library/:part(quick-replies|materials)?',
        name: 'library',
        component: () => import('@/features/library/Library.vue'),
        meta: { permission: 'library.read', title: 'compose.library.title' },
      },
      {
        path: '/customers/board',
        name: 'board',
        component: () => import('@/features/stages/BoardPage.vue'),
        meta: { permission: 'customers.read', title: 'stages.board.title' },
      },
      {
        path: '/customers/pool',
        name: 'pool',
        component: () => import('@/features/owners/PoolPage.vue'),
        meta: { permission: 'customers.read', title: 'owners.pool' },
      },
      {
        path: '/customers/hand-over',
        name: 'handovers',
        component: () => import('@/features/owners/HandoverList.vue'),
        meta: { permission: 'customers.assign', title: 'owners.handover.title' },
      },
      {
        path: '/customers/hand-over/new',
        name: 'new-handover',
        component: () => import('@/features/owners/NewHandover.vue'),
        meta: { permission: 'customers.assign', title: 'owners.handover.begin' },
      },
      {
        path: '/customers/hand-over/:id(\\d+)',
        name: 'handover',
        component: () => import('@/features/owners/HandoverPage.vue'),
        meta: { permission: 'customers.assign', title: 'owners.handover.title' },
      },
      {
        path: '/reports',
        name: 'reports',
        component: () => import('@/features/reports/ReportsPage.vue'),
        meta: { permission: 'customers.reports', title: 'nav.reportList' },
      },
      {
        path: '/groups/:id(\\d+)?',
        name: 'groups',
        component: () => import('@/features/groups/GroupsPage.vue'),
        meta: { permission: 'customers.read', title: 'nav.groups' },
      },
      {
        path: '/codes/:part(greetings|\\d+)?',
        name: 'codes',
        component: () => import('@/features/codes/CodesPage.vue'),
        meta: { permission: 'codes.manage', title: 'codes.title' },
      },
      {
        path: '/campaigns/:part(calendar|moments)?',
        name: 'campaigns',
        component: () => import('@/features/campaigns/CampaignsPage.vue'),
        meta: { permission: 'campaigns.read', title: 'nav.campaigns' },
      },
      {
        path: '/campaigns/new',
        name: 'campaign-new',
        component: () => import('@/features/campaigns/EditorPage.vue'),
        meta: { permission: 'campaigns.write', title: 'nav.newCampaign' },
      },
      {
        path: '/campaigns/moments/new',
        name: 'moment-new',
        component: () => import('@/features/moments/MomentEditorPage.vue'),
        meta: { permission: 'campaigns.write', title: 'nav.newMoment' },
      },
      {
        path: '/campaigns/moments/:id(\\d+)/edit',
        name: 'moment-edit',
        component: () => import('@/features/moments/MomentEditorPage.vue'),
        meta: { permission: 'campaigns.write', title: 'nav.campaigns' },
      },
      {
        path: '/campaigns/:id(\\d+)/edit',
        name: 'campaign-edit',
        component: () => import('@/features/campaigns/EditorPage.vue'),
        meta: { permission: 'campaigns.write', title: 'nav.campaigns' },
      },
      {
        path: '/campaigns/:id(\\d+)',
        name: 'campaign',
        component: () => import('@/features/campaigns/CampaignPage.vue'),
        meta: { permission: 'campaigns.read', title: 'nav.campaigns' },
      },
      {
        path: '/campaigns/library',
        name: 'contents',
        component: () => import('@/features/contents/ContentsPage.vue'),
        meta: { permission: 'campaigns.read', title: 'nav.contents' },
      },
      {
        path: '/campaigns/library/new',
        name: 'content-new',
        component: () => import('@/features/contents/ContentEditor.vue'),
        meta: { permission: 'campaigns.write', title: 'nav.contents' },
      },
      {
        path: '/campaigns/library/:id(\\d+)/edit',
        name: 'content-edit',
        component: () => import('@/features/contents/ContentEditor.vue'),
        meta: { permission: 'campaigns.write', title: 'nav.contents' },
      },
      {
        path: '/campaigns/library/:id(\\d+)',
        name: 'content',
        component: () => import('@/features/contents/ContentPage.vue'),
        meta: { permission: 'campaigns.read', title: 'nav.contents' },
      },
      {
        path: '/invites/today',
        name: 'invites-today',
        component: () => import('@/features/invites/SharePage.vue'),
        meta: { permission: 'customers.write', title: 'nav.invitesToday' },
      },
      {
        path: '/invites/:part(new|\\d+)?',
        name: 'invites',
        component: () => import('@/features/invites/InvitesPage.vue'),
        meta: { permission: 'campaigns.read', title: 'nav.inviteList' },
      },
      {
        path: '/sops/new',
        name: 'sop-new',
        component: () => import('@/features/sop/SopEditor.vue'),
        meta: { permission: 'campaigns.write', title: 'nav.sop' },
      },
      {
        path: '/sops/:id(\\d+)/edit',
        name: 'sop-edit',
        component: () => import('@/features/sop/SopEditor.vue'),
        meta: { permission: 'campaigns.write', title: 'nav.sop' },
      },
      {
        path: '/sops/:id(\\d+)?',
        name: 'sops',
        component: () => import('@/features/sop/SopsPage.vue'),
        meta: { permission: 'campaigns.read', title: 'nav.sop' },
      },
      ...auditRoutes,
      ...settingsRoutes,
      { path: '/:rest(.*)*', name: 'lost', component: () => import('@/features/shell/Lost.vue') },
    ],
  })

  let asked = false
  router.beforeEach(async (to) => {
    if (!asked) {
      // When the service cannot be asked, App shows that and asks again.
      await session.load()
      asked = true
    }
    if (to.meta.public) return session.me && to.name === 'sign-in' ? { path: '/' } : true
    if (session.me) return to.name === 'home' ? { name: session.can('inbox.read') ? 'inbox' : 'me', query: to.query, replace: true } : true
    return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  })
  return router
}
