/** Whom campaigns reach: lists of people, and what keeps campaigns from somebody. */
export default {
  peopleLists: {
    pick: 'List', any: 'Any', open: 'Upload or manage lists', exclude: 'Not to those of a list', noList: 'None', title: 'Lists of people',
    make: 'New list', name: 'Name of the list', source: 'List', paste: 'Paste one person a line: phone number, customer number, or their id on the platform', file: 'Choose an .xlsx or .csv file', chosen: '{name} is chosen', clear: 'Remove',
    headings: 'In a sheet, headings such as “phone”, “customer id” and “external id” say what the columns are.', uploading: 'Uploading, {n}%', reading: 'Finding the customers…', store: 'Find and keep',
    found: '{n} customers found', unknown: '{n} lines not found', twice: '{n} lines twice', missing: 'Lines that were not found (among the customers you see)', line: 'Line {n}', download: 'Download all lines not found', use: 'Use this list', another: 'Another one',
    kept: 'Lists so far', none: 'No lists yet', by: '{name} · {at}', delete: 'Delete the list “{name}”', deleted: 'This list was deleted', numbers: '{n} customers',
  },
  results: { stale: 'This is from before, the newest could not be loaded.', exportAs: 'Export as {format}', untold: 'not told by the platform', openReply: 'Open the reply of {name}' },
  campaigns: { reason: { excluded_list: { name: 'In a list left out', why: 'Stands in the list that this campaign leaves out' } } },
}
