import type { DraftView } from '@/api/compose'
import { useDrafts } from '@/stores/drafts'

/** Typed in another tab, or on another device, of the same person. */
export function onDraft(push: { draft: DraftView }): void {
  useDrafts().take(push.draft)
}
