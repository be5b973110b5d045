export default {
  list: {
    group: { conversation: 'This conversation', list: 'Conversation list', composer: 'Writing', go: 'Go to', look: 'Appearance', other: 'General' },
    command: {
      bar: 'Command bar',
      ask: 'Type a command, or search customers, conversations and messages',
      none: 'No command fits',
      next: 'Next conversation',
      previous: 'Previous conversation',
      close: 'Close the conversation',
      reopen: 'Reopen the conversation',
      customer: 'Customer profile',
      leave: 'Close the side panel',
      hide: 'Close what is open',
      go: 'Open {page}',
    },
    undo: {
      do: 'Undo',
      done: 'Undone',
      partly: '{n} undone; {m} had been changed by somebody meanwhile and stay as they are',
      many: '{what} ({n})',
      changed: 'Somebody changed this in the meantime; nothing was undone',
      expired: 'This was too long ago to be undone',
    },
    did: {
      other: 'Done',
      conversation: {
        close: 'Conversation closed',
        reopen: 'Conversation reopened',
        assign: 'Conversation handed over',
        label: 'Labels changed',
        snooze: 'Conversation snoozed',
        read: 'Marked as read',
        helpers: 'Helpers changed',
        macro: 'Macro run',
      },
    },
  },
}
