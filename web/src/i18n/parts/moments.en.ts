/** Posts in members' Moments: editor, forecast, results. Come with their pages (`i18n/late`). */
export default {
  moments: {
    make: 'New moment', name: 'Name this moment', untitled: 'Unnamed moment',
    failed: 'This did not load', nowhere: 'Moments cannot be posted yet', nowhereText: 'None of the connected channels has Moments. Connect one under “Channels” first.', allMembers: 'All members',
    step: { content: 'Content', audience: 'Members and visibility', time: 'Time', review: 'Review' },
    content: { title: 'What it says', fits: 'Does it fit', takes: 'Text, with up to {n} pictures, or one video, or one link.', same: 'All members post the same, so variables of the customer or the member cannot be used.', chars: '{n} / {most} characters', bytes: '{n} / {most} bytes', fine: 'It fits.', cover: 'Add a cover for the link', otherCover: 'Change the cover of the link' },
    trouble: { too_long: 'The text is too long', kind: 'A moment takes pictures, a video or a link, nothing else', cover: 'The link needs a cover picture', mixed: 'Pictures, a video or a link: only one of the three', too_many: 'One video or one link at most', pictures: 'At most {n} pictures', variable: 'Variables that cannot be used: {names}' },
    audience: { who: 'Who posts it', accounts: 'Choose members', all: 'None chosen: all {n} members', some: '{n} members chosen', see: 'Who can see it', tags: 'Choose tags', everybody: 'No tag chosen: all customers of these members see it (public)', tagged: 'Customers with any of the chosen tags see it (partly visible)', noTags: 'The platform has no company tags yet: it can only be public.' },
    forecast: {
      now: 'Try it out', hint: 'Only counts, posts nothing.', again: 'Again', failed: 'The dry run did not finish', members: 'Members who post', customers: 'Customers who can see it', leftOut: 'Not asked', month: 'Used this month', at: 'Found at {at}', from: 'Starts {from}', table: 'Customers of each member', none: 'There is no member who could post it. Choose others.', limit: '{used} of {most} this month', near: 'Near the limit', full: 'The moments of this month are used up: it would fail', waits: 'This minute is full: it waits a little', old: 'The conditions have changed: try it out again.', first: 'Only the first {n} are listed',
      left: { account_off: 'Account switched off', connection_paused: 'Connection paused', tags_unknown: 'The platform has none of the tags' },
    },
    time: { title: 'Time to publish', confirm: 'Members may publish it for', after: 'days; then what is left is taken back' },
    review: { title: 'Summary', what: 'Content', who: 'Posted by', see: 'Visible to', when: 'Time', everybody: 'All customers of these members', tags: 'With the tags {names}', numbers: '{members} members, {customers} customers can see it', ready: 'Before you submit', fits: 'It can be submitted.', empty: 'There is nothing in it yet. Write something or add pictures.', approval: { none: 'No approval needed: it starts at its time.', size: 'More than {n} customers can see it: a second person has to approve it.', role: 'What your role submits needs a second person’s approval.' } },
    preview: { title: 'Preview', nothing: 'Write something to see what customers will see', just: 'just now', partly: 'Partly visible', how: 'Members get a task in WeCom and publish it in their own Moments.', picture: 'Picture {n}', video: 'Video', link: 'Link' },
    run: {
      title: 'Results', none: 'It has not begun.', which: 'Which time', published: 'Published', of: '{n} / {all}', shown: 'Shown to', likes: 'Likes', comments: 'Comments', people: 'Customers who reacted', freezing: 'Getting ready…', until: 'May be published until {at}', export: 'Export', remind: 'Remind members', reminded: '{n} members were reminded', unlinked: '{n} members have no login here and cannot be reminded', withdraw: 'Take back the rest', withdrawn: 'Being taken back', missed: 'It did not run this time.', late: 'late',
      state: { freezing: 'Getting ready', running: 'Running', done: 'Done', cancelled: 'Cancelled', missed: 'Missed' },
    },
    state: { planned: 'To be asked', asked: 'Not published yet', published: 'Published', refused: 'Refused by the platform', withdrawn: 'Taken back', failed: 'Failed', uncertain: 'Unknown' },
    task: {
      queued: 'Waits to be handed to the platform', calling: 'Being handed to the platform', doubt: 'The platform did not answer in time; its own list is being looked through. Nothing is posted twice.', making: 'The platform is making it', open: 'Members can publish it', done: 'Over', failed: 'It was not posted', uncertain: 'For two days it could not be found out whether it was posted', cancelled: 'Cancelled',
      again: 'Post it again', askAgain: 'Post it again?', askText: 'Look in the platform’s console first: if this moment is there, posting again makes a second one.', askFailed: 'The platform did not take it the last time. Post it again when the cause is gone.', did: 'Handed to the platform again',
    },
    ask: { title: 'Take back what is not published?', text: 'Members who have not published it will not find it any more; what is published stays.', keep: 'Keep it' },
    posts: { title: 'Members', state: 'State', any: 'All states', none: 'No member fits', published: 'Published {at}', reminded: 'Reminded {n} times', seen: '{n} may see it', shown: 'shown to {n}', unlinked: 'No login here' },
    reactions: { title: 'Likes and comments', any: 'All', like: 'Likes', comment: 'Comments', none: 'No likes or comments yet.', note: 'The platform does not tell the words of comments.', unknown: 'Unknown customer', hidden: 'A colleague’s customer', on: 'On {name}’s moment', more: 'More' },
  },
}
