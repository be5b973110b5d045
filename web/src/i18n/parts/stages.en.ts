export default {
  stages: {
    stage: { title: 'Stage of the customer', moveTo: 'Move to “{stage}”' },
    why: {
      open: 'Why does it go to “{stage}”?',
      won: 'Why was this customer won?',
      lost: 'Why was this customer lost?',
      label: 'Reason',
      placeholder: 'Choose one, or write your own',
      move: 'Move',
    },
    tag: {
      title: 'Tags of the customer',
      find: 'Find a tag: words, pinyin or initials',
      oneOnly: 'one only',
      noMatch: 'No tag fits',
      nothing: 'No tags yet',
      manage: 'Manage tags',
      remove: 'Remove the tag “{name}”',
    },
  },
}
