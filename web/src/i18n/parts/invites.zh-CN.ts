export default {
  invites: {
    title: '加好友名单', place: '加好友', mine: '今日添加', text: '把手机号名单分给员工逐日添加。添加动作由员工本人在自己的企业微信里完成，这是平台的要求；本系统不代替任何人添加。',
    add: '新建名单', back: '全部名单', failed: '加好友名单没有加载出来', none: '还没有名单', noneText: '粘贴或上传一份手机号名单，先看每一行会怎样，再分给员工。',
    name: '名单名称', source: '手机号名单', paste: '每行一个号码，可带姓名：张三，13812345678', orFile: '上传 .xlsx 或 .csv', fileChosen: '已选 {name}', clear: '改为粘贴',
    greeting: '验证语', greetingText: '员工一键复制。可以写 {\'{{agent.name}}\'}、{\'{{company.name}}\'}、{\'{{customer.name}}\'}。', agents: '由谁添加', firstDay: '从哪天开始', perDay: '每人每天',
    look: '预览', store: '保存并分配', stored: '名单已保存并分配', total: '共 {n} 行，将分配 {taken} 个', until: '到 {day} 分完', only: '只列出前 {n} 行',
    line: '行', phone: '号码', person: '姓名', what: '结果', whom: '由谁添加', day: '日期', number: '数量',
    fate: { take: '分配', known: '分配（已是客户，还不是好友）', friend: '不分配：已是好友', earlier: '不分配：在之前的名单里', twice: '不分配：名单内重复', no_number: '不分配：没有有效手机号' },
    shares: '每人每天的份额', all: '总数', open: '待添加', sent: '已发送申请', accepted: '已通过', elsewhere: '已加同事', not_found: '搜不到', refused: '被拒绝', wrong_number: '号码有误', cancelled: '已取消', rate: '通过率',
    byAgent: '按员工', byDay: '按计划日期', leftOut: '未分配的行', numbers: '号码', state: '状态', end: '结束名单', endSure: '结束后，还没添加的号码会从员工的份额里拿走。再点一次确认。', ended: '已结束', madeBy: '{who} · {day}',
    today: '今天要添加的客户', todayText: '请在企业微信里亲自搜索并添加，平台要求由本人操作；然后在这里记下结果。', nothing: '今天没有要添加的客户', nothingText: '有新的份额时会收到提醒。', progress: '今天 {done} / {all}，之后还有 {waiting} 个',
    copyPhone: '复制号码', copyGreeting: '复制验证语', carried: '昨天留下', takeBack: '改回待添加', for: '{name} 的结果', todayFailed: '今天的份额没有加载出来', more: '更多',
  },
}
