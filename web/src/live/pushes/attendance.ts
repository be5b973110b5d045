import type { Attendance } from '@/api/flow'
import { useAttendance } from '@/stores/attendance'

/** Somebody came, went, or is busy. */
export function onAttendance(push: { agents: Attendance[] }): void {
  useAttendance().take(push.agents)
}
