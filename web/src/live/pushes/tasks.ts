import type { TaskCounts } from '@/api/followups'
import { useTasks } from '@/stores/tasks'

/** Tasks of mine changed, or one was told. */
export function onTasks(push: { counts: TaskCounts }): void {
  useTasks().take(push.counts)
}
