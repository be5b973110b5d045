import { useCampaignWatch } from '@/stores/campaignWatch'

/** A campaign in sight moved. */
export function onCampaign(push: { campaign_id: number }): void {
  useCampaignWatch().take(push.campaign_id)
}
