import { useLabels } from '@/stores/labels'

/** Labels were added, renamed, moved or put away. */
export function onLabels(): Promise<void> {
  return useLabels().load()
}
