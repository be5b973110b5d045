export default {
  invites: {
    title: 'Lists to add', place: 'Adding', mine: 'To add today', text: 'Gives lists of phone numbers to your people, some each day. Adding is done by the person in their own WeCom, as the platform demands; this system never adds anybody itself.',
    add: 'New list', back: 'All lists', failed: 'The lists could not be loaded', none: 'No lists yet', noneText: 'Paste or upload phone numbers, see what happens to each line, then give them to your people.',
    name: 'Name of the list', source: 'Phone numbers', paste: 'One number a line, with a name if you like: Zhang San, 13812345678', orFile: 'Upload .xlsx or .csv', fileChosen: 'Chosen: {name}', clear: 'Paste instead',
    greeting: 'Words of the request', greetingText: 'Copied with one tap. May hold {\'{{agent.name}}\'}, {\'{{company.name}}\'} and {\'{{customer.name}}\'}.', agents: 'Who adds them', firstDay: 'First day', perDay: 'Each person a day',
    look: 'Preview', store: 'Store and give out', stored: 'The list is stored and given out', total: '{n} lines, {taken} will be given out', until: 'Done by {day}', only: 'The first {n} lines are shown',
    line: 'Line', phone: 'Number', person: 'Name', what: 'Outcome', whom: 'Who adds', day: 'Day', number: 'Numbers',
    fate: { take: 'Given out', known: 'Given out (a customer, but nobody’s friend)', friend: 'Left out: a friend already', earlier: 'Left out: in an earlier list', twice: 'Left out: twice in this list', no_number: 'Left out: no valid phone number' },
    shares: 'Each person’s share a day', all: 'All', open: 'To do', sent: 'Asked', accepted: 'Accepted', elsewhere: 'With a colleague', not_found: 'Not found', refused: 'Refused', wrong_number: 'Wrong number', cancelled: 'Taken off', rate: 'Accepted of asked',
    byAgent: 'By person', byDay: 'By planned day', leftOut: 'Lines left out', numbers: 'Numbers', state: 'State', end: 'End the list', endSure: 'What nobody has added yet is taken off everybody’s share. Click again to confirm.', ended: 'Ended', madeBy: '{who} · {day}',
    today: 'People to add today', todayText: 'Search and add them yourself in WeCom, as the platform demands; then note here what came of it.', nothing: 'Nobody to add today', nothingText: 'You are told when there is a new share.', progress: '{done} of {all} today, {waiting} still to come',
    copyPhone: 'Copy number', copyGreeting: 'Copy words', carried: 'Left from before', takeBack: 'Back to do', for: 'Outcome for {name}', todayFailed: 'Your share of today could not be loaded', more: 'More',
  },
}
