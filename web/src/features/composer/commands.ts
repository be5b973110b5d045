import { onScopeDispose, watch, type Ref } from 'vue'
import { useCommands } from '@/stores/commands'
import { useLibrary } from '@/stores/library'
import { useWords } from '@/ui/words'
import { useMacros } from './macros'

/** What the composer offers to the command bar and to keys. */
export function useComposerCommands(composer: {
  id: Ref<number>
  ready: () => boolean
  mayNote: () => boolean
  send: (then?: 'close') => boolean
  write: (asNote: boolean) => void
  replies: () => void
  later: () => void
}): { sendNext: () => void } {
  const { t } = useWords()
  const commands = useCommands()
  const library = useLibrary()
  const { run } = useMacros()

  function next(): void {
    const step = commands.all.find((command) => command.id === 'rows.next')
    if (step && commands.possible(step)) step.run()
  }

  function sendNext(): void {
    if (composer.send()) next()
  }

  commands.register(
    { id: 'answer.sendNext', title: () => t('compose.sendNext'), group: 'composer', keys: 'mod+shift+enter', always: true, when: composer.ready, run: sendNext },
    { id: 'answer.sendClose', title: () => t('compose.sendClose'), group: 'composer', keys: 'mod+alt+enter', always: true, when: composer.ready, run: () => composer.send('close') },
    { id: 'answer.later', title: () => t('compose.sendLater'), group: 'composer', keys: 'mod+shift+l', always: true, when: composer.ready, run: composer.later },
    { id: 'answer.note', title: () => t('compose.writeNote'), group: 'composer', keys: 'n', when: composer.mayNote, run: () => composer.write(true) },
    { id: 'answer.replies', title: () => t('compose.replies'), group: 'composer', keys: 'mod+/', always: true, run: composer.replies },
  )

  void library.loadMacros().catch(() => undefined)
  let forget: (() => void) | null = null
  watch(
    () => library.macros,
    (macros) => {
      forget?.()
      forget = commands.register(
        ...macros.slice(0, 50).map((macro) => ({
          id: `macro.${macro.id}`,
          title: () => t('compose.runMacro', { name: macro.name }),
          group: 'conversation' as const,
          run: () => run(macro, [composer.id.value]),
        })),
      )
    },
    { immediate: true },
  )
  onScopeDispose(() => forget?.())
  return { sendNext }
}
