/** What keeps campaigns from a customer: on their page and beside the thread. */
export default {
  holds: {
    add: 'No campaigns', text: 'No campaign will reach this customer while it lasts.', note: 'Why (optional)', added: 'No campaign will reach this customer', ended: 'Campaigns may reach this customer again', byWord: 'By itself: the customer answered “{word}”',
    kind: { opted_out: 'Opted out of campaigns', complaint: 'Open complaint: no campaigns' }, set: { opted_out: 'Does not want campaigns', complaint: 'A complaint is open' }, end: { opted_out: 'Allow again', complaint: 'Settled' },
  },
}
