/** The place of audit itself; each of its pages has words of its own. */
export default {
  audit: {
    tab: { search: 'Search', money: 'Payments', alerts: 'Alerts', rules: 'Rules', evidence: 'Evidence', trail: 'Trail', quality: 'Quality', words: 'Hot words', retention: 'Retention' },
  },
}
