/** The place of audit itself; each of its pages has words of its own. */
export default {
  audit: {
    tab: { search: '检索', money: '收支', alerts: '警报', rules: '规则', evidence: '证据', trail: '操作记录', quality: '质检', words: '热词', retention: '留存' },
  },
}
