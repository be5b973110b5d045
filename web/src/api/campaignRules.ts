/** What holds for all campaigns. */

import { answerOf, routes } from './client'
import type { components } from './schema'

export type CampaignRules = Required<components['schemas']['CampaignRules']>

export const campaignRules = {
  read: async () => (await answerOf(routes.GET('/api/campaigns/settings'))) as CampaignRules,
  write: async (body: CampaignRules) => (await answerOf(routes.PATCH('/api/campaigns/settings', { body }))) as CampaignRules,
}
