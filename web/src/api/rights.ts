/** Roles, people, signing in, the trail. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type RoleView = Schemas['RoleView']
export type RoleList = Schemas['RoleList']
export type Reach = RoleView['reach']
export type PersonView = Schemas['StaffView']
export type IdentityView = Schemas['IdentityView']
export type PasswordRules = Schemas['PasswordRulesView']
export type SignInRules = Schemas['SignInRulesView']
export type SecondFactor = Schemas['SecondFactorView']
export type Enrolment = Schemas['EnrolmentView']
export type WayView = Schemas['WayView']
export type TrailLine = Schemas['TrailLine']
export type ConnectionErrorView = Schemas['ConnectionErrorView']
export type Look = Schemas['LookView']

const agent = (agent_id: number) => ({ params: { path: { agent_id } } })
const team = (team_id: number) => ({ params: { path: { team_id } } })
const role = (key: string) => ({ params: { path: { key } } })
const customer = (customer_id: number) => ({ params: { path: { customer_id } } })

export interface TrailFilter {
  agent_id?: number
  action?: string
  object_kind?: string
  object_id?: number
  address?: string
  q?: string
  since?: string
  until?: string
}

export const rights = {
  ways: () => answerOf(routes.GET('/api/sign-in')),
  giveCode: (code: string) => answerOf(routes.POST('/api/session/code', { body: { code } })),
  endOtherSessions: () => answerOf(routes.DELETE('/api/sessions')),
  changeLook: (body: Schemas['LookInput']) => answerOf(routes.PATCH('/api/me/look', { body })),

  secondFactor: () => answerOf(routes.GET('/api/me/second-factor')),
  beginSecondFactor: (password: string) => answerOf(routes.POST('/api/me/second-factor/begin', { body: { password } })),
  confirmSecondFactor: (code: string) => answerOf(routes.POST('/api/me/second-factor/confirm', { body: { code } })),
  renewRecovery: (password: string) => answerOf(routes.POST('/api/me/second-factor/recovery', { body: { password } })),
  removeSecondFactor: (password: string) => answerOf(routes.POST('/api/me/second-factor/remove', { body: { password } })),
  identities: () => answerOf(routes.GET('/api/me/identities')),
  bindMyself: (connection_id: number) => answerOf(routes.POST('/api/me/identities', { body: { connection_id } })),
  unbindMyself: (identity_id: number) =>
    answerOf(routes.DELETE('/api/me/identities/{identity_id}', { params: { path: { identity_id } } })),
  createToken: (body: Schemas['TokenInput']) => answerOf(routes.POST('/api/tokens', { body })),

  people: () => answerOf(routes.GET('/api/people')),
  sessionsOf: (id: number) => answerOf(routes.GET('/api/agents/{agent_id}/sessions', agent(id))),
  endSessionsOf: (id: number) => answerOf(routes.DELETE('/api/agents/{agent_id}/sessions', agent(id))),
  endSessionOf: (agent_id: number, session_id: number) =>
    answerOf(routes.DELETE('/api/agents/{agent_id}/sessions/{session_id}', { params: { path: { agent_id, session_id } } })),
  resetPassword: (id: number, password?: string) =>
    answerOf(routes.POST('/api/agents/{agent_id}/password', { ...agent(id), body: { password } })),
  resetSecondFactor: (id: number) => answerOf(routes.DELETE('/api/agents/{agent_id}/second-factor', agent(id))),
  identitiesOf: (id: number) => answerOf(routes.GET('/api/agents/{agent_id}/identities', agent(id))),
  bind: (id: number, connection_id: number, external_id: string) =>
    answerOf(routes.POST('/api/agents/{agent_id}/identities', { ...agent(id), body: { connection_id, external_id } })),
  unbind: (agent_id: number, identity_id: number) =>
    answerOf(routes.DELETE('/api/agents/{agent_id}/identities/{identity_id}', { params: { path: { agent_id, identity_id } } })),

  addTeam: (body: Schemas['TeamInput']) => answerOf(routes.POST('/api/teams', { body })),
  changeTeam: (id: number, body: Schemas['TeamInput']) => answerOf(routes.PATCH('/api/teams/{team_id}', { ...team(id), body })),
  deleteTeam: (id: number) => answerOf(routes.DELETE('/api/teams/{team_id}', team(id))),

  roles: () => answerOf(routes.GET('/api/roles')),
  addRole: (body: Schemas['RoleInput']) => answerOf(routes.POST('/api/roles', { body })),
  changeRole: (key: string, body: Schemas['RoleInput']) => answerOf(routes.PATCH('/api/roles/{key}', { ...role(key), body })),
  deleteRole: (key: string) => answerOf(routes.DELETE('/api/roles/{key}', role(key))),

  passwordRules: () => answerOf(routes.GET('/api/settings/passwords')),
  setPasswordRules: (body: PasswordRules) => answerOf(routes.POST('/api/settings/passwords', { body })),
  signInRules: () => answerOf(routes.GET('/api/settings/sign-in')),
  setSignInRules: (body: SignInRules) => answerOf(routes.POST('/api/settings/sign-in', { body })),

  trail: (filter: TrailFilter, cursor?: string) =>
    answerOf(routes.GET('/api/trail', { params: { query: { ...filter, cursor, limit: 50 } } })),
  revealPhone: (id: number) => answerOf(routes.POST('/api/customers/{customer_id}/reveal', customer(id))),
  customerTrail: (id: number) => answerOf(routes.GET('/api/customers/{customer_id}/trail', customer(id))),
  revealMessage: (message_id: number) =>
    answerOf(routes.POST('/api/messages/{message_id}/reveal', { params: { path: { message_id } } })),

  connectionErrors: (connection_id: number) =>
    answerOf(routes.GET('/api/connections/{connection_id}/errors', { params: { path: { connection_id } } })),
  deleteConnection: (connection_id: number, name: string) =>
    answerOf(routes.POST('/api/connections/{connection_id}/delete', { params: { path: { connection_id } }, body: { name } })),
  orderAccounts: (account_ids: number[]) => answerOf(routes.POST('/api/accounts/order', { body: { account_ids } })),
  changeAccount: (account_id: number, body: Schemas['AccountInput']) =>
    answerOf(routes.PATCH('/api/accounts/{account_id}', { params: { path: { account_id } }, body })),
}
