import { ApiError } from '@/api/client'
import { followups, type Task, type TaskChange } from '@/api/followups'
import { useNotices } from '@/stores/notices'
import { useTasks } from '@/stores/tasks'
import { useWords } from '@/ui/words'
import type { Due } from './MomentChips.vue'
import { useFollowUpWords } from './words'

/** Acts on one task. When somebody else was faster, the page says so and reads again. */
export function useActing() {
  const { t, attempt } = useWords()
  const { when } = useFollowUpWords()
  const tasks = useTasks()
  const notices = useNotices()

  async function act(what: () => Promise<Task>, done?: (task: Task) => string): Promise<Task | null> {
    let fresh: Task | null = null
    await attempt(async () => {
      try {
        fresh = await what()
        if (done) notices.say('good', done(fresh))
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'changed_meanwhile') throw error
        notices.say('bad', t('followups.task.changed'))
      }
    })
    tasks.changes += 1
    return fresh
  }

  return {
    done: (task: Task) => act(() => followups.done(task.id, task.version)),
    cancel: (task: Task) => act(() => followups.cancel(task.id, task.version)),
    reopen: (task: Task) => act(() => followups.reopen(task.id, task.version)),
    move: (task: Task, due: Due) => act(() => followups.change(task.id, { version: task.version, ...due }), (fresh) => t('followups.calendar.movedTo', { time: when(fresh.due_at, fresh.all_day) })),
    change: (task: Task, wanted: Omit<TaskChange, 'version'>) => act(() => followups.change(task.id, { version: task.version, ...wanted })),
  }
}
