/** What keeps campaigns from a customer: on their page and beside the thread. */
export default {
  holds: {
    add: '不再群发', text: '设置后，所有群发都不会发给这位客户。', note: '说明（可不填）', added: '已设置，群发不会再发给这位客户', ended: '已恢复，群发可以发给这位客户', byWord: '客户回复“{word}”，自动设置',
    kind: { opted_out: '已退订群发', complaint: '投诉处理中，暂停群发' }, set: { opted_out: '客户不愿再收到群发', complaint: '有投诉未了结' }, end: { opted_out: '恢复群发', complaint: '投诉已了结' },
  },
}
