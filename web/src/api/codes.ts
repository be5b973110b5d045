/** Calls about codes that customers scan, and what greets new contacts. */

import { answerOf, routes } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Code = Schemas['CodeView']
export type CodeDetail = Schemas['CodeDetail']
export type CodeDay = Schemas['CodeDayView']
export type CodeInput = Schemas['ContactCodeInput']
export type Maker = Schemas['MakerView']
export type Arrival = Schemas['ArrivalView']
export type Welcome = Schemas['WelcomeView']
export type WelcomeInput = Schemas['WelcomeInput']
export type WelcomeHints = Schemas['WelcomeHints']
export type Content = Schemas['GreetingContentView']
export type ContentInput = Schemas['GreetingContentInput']
export type PartInput = Schemas['PartInput']
export type GreetingPart = Schemas['GreetingPartView']
export type MyCards = Schemas['MyCardsView']
export type Unreached = Schemas['UnreachedView']
export type Greeting = Schemas['GreetingView']

const code = (code_id: number) => ({ params: { path: { code_id } } })
const welcome = (welcome_id: number) => ({ params: { path: { welcome_id } } })

export const codesApi = {
  list: (query: { before?: number; archived?: boolean; q?: string; campaign?: string; limit?: number }) =>
    answerOf(routes.GET('/api/codes', { params: { query } })),
  makers: async () => (await answerOf(routes.GET('/api/codes/makers'))).makers,
  one: (id: number) => answerOf(routes.GET('/api/codes/{code_id}', code(id))),
  add: (body: CodeInput) => answerOf(routes.POST('/api/codes', { body })),
  change: (id: number, body: CodeInput) => answerOf(routes.PATCH('/api/codes/{code_id}', { ...code(id), body })),
  archive: (id: number) => answerOf(routes.POST('/api/codes/{code_id}/archive', code(id))),
  retry: (id: number) => answerOf(routes.POST('/api/codes/{code_id}/retry', code(id))),
  arrivals: (id: number, before?: number) =>
    answerOf(routes.GET('/api/codes/{code_id}/arrivals', { params: { path: { code_id: id }, query: { before } } })),

  welcomes: async () => (await answerOf(routes.GET('/api/welcomes'))).welcomes,
  hints: () => answerOf(routes.GET('/api/welcomes/hints')),
  addWelcome: (body: WelcomeInput) => answerOf(routes.POST('/api/welcomes', { body })),
  changeWelcome: (id: number, body: WelcomeInput) => answerOf(routes.PATCH('/api/welcomes/{welcome_id}', { ...welcome(id), body })),
  deleteWelcome: (id: number) => answerOf(routes.DELETE('/api/welcomes/{welcome_id}', welcome(id))),
  greetings: (query: { before?: number; code_id?: number; state?: Greeting['state'] }) =>
    answerOf(routes.GET('/api/greetings', { params: { query } })),
}

export const cardsApi = {
  mine: () => answerOf(routes.GET('/api/me/cards')),
  unreached: async () => (await answerOf(routes.GET('/api/cards/unreached'))).people,
}

export const pictureOf = (one: Code, download = false): string =>
  `/api/codes/${one.id}/picture${download ? '?download=true' : ''}`
