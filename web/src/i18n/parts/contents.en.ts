export default {
  contents: {
    title: 'Content library', text: 'Posts written once and used again. A change is a new version, which a second person approves before campaigns get it; a last day may be set.',
    make: 'New content', none: 'The library is empty', noneText: 'Keep posts here that are used again. Once approved, they can be picked while a campaign is written.', nothingFound: 'Nothing fits', failed: 'The contents could not be loaded', denied: 'You may not see the content library',
    search: 'Find by name', usable: 'Usable only', back: 'Content library',
    state: { draft: 'To approve', approved: 'Usable', expired: 'Expired' },
    attachments: '{n} attachments', until: 'Until {day}', forever: 'No last day', changed: 'Changed {when}',
    versions: 'Versions', version: 'Version {n}', by: 'By {name}, {when}', byNobody: 'Written {when}', approvedBy: 'Approved by {name}', notApproved: 'Not approved yet', inUse: 'Campaigns get this one',
    difference: 'What changed', firstVersion: 'This is the first version.', same: 'The words are the same.', attachmentsNow: 'Attachments: {before} → {now}', variantsNow: 'Channels with words of their own: {names}',
    uses: 'Used by {n} campaigns', notUsed: 'Not used yet',
    approve: 'Approve', approved: 'Approved; campaigns may use it', approveHint: 'Look at it beside before you approve. What you wrote yourself is approved by somebody else.',
    edit: 'Change', remove: 'Delete', use: 'Use in a new campaign', keep: 'Save', kept: 'Saved; it waits to be approved', name: 'Name of the content', expires: 'Last day', expiresHint: 'Empty: no last day', untitled: 'Untitled content',
    editing: 'It becomes version {n} and has to be approved again; until then campaigns get the approved one.', notNow: 'You may not change this content',
    pick: 'Pick from the library', pickText: 'It replaces what is written now.', picked: 'Picked; you may go on changing it', pickNone: 'Nothing is approved and not expired', saveAs: 'Keep in the library', savedAs: 'Kept in the library; it waits to be approved', choose: 'Pick',
  },
}
