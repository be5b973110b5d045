/** Days of the calendar as they stand in the address and in calls. */
import { toWall } from '@/model/zone'

export function dayAgo(days: number, zone: string): string {
  return toWall(Date.now() - days * 86_400_000, zone).slice(0, 10)
}
