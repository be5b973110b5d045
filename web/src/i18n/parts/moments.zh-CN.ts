/** Posts in members' Moments: editor, forecast, results. Come with their pages (`i18n/late`). */
export default {
  moments: {
    make: '新建朋友圈', name: '给这条朋友圈起个名字', untitled: '未命名朋友圈',
    failed: '没有加载出来', nowhere: '还不能发朋友圈', nowhereText: '已接入的渠道都没有朋友圈能力，请先在“渠道”里接入。', allMembers: '全部员工',
    step: { content: '内容', audience: '员工与可见范围', time: '时间', review: '确认' },
    content: { title: '说什么', fits: '是否合适', takes: '文字，加最多 {n} 张图片，或 1 个视频，或 1 个链接。', same: '所有员工发表同样的内容，文字里不能用客户或员工的变量。', chars: '{n} / {most} 字', bytes: '{n} / {most} 字节', fine: '内容符合要求。', cover: '添加链接封面', otherCover: '更换链接封面' },
    trouble: { too_long: '文字超过上限', kind: '朋友圈只能带图片、视频或链接', cover: '链接需要一张封面图', mixed: '图片、视频、链接只能选一种', too_many: '视频或链接只能有一个', pictures: '图片最多 {n} 张', variable: '不能使用变量：{names}' },
    audience: { who: '由谁发表', accounts: '选择员工', all: '没有选择：全部 {n} 位员工', some: '已选 {n} 位员工', see: '谁能看见', tags: '选择标签', everybody: '没有选择标签：员工的全部客户可见（公开）', tagged: '带有任一所选标签的客户可见（部分可见）', noTags: '平台上还没有企业标签，只能公开。' },
    forecast: {
      now: '试算', hint: '只计算，不提交。', again: '重新试算', failed: '试算没有完成', members: '发表员工', customers: '可见客户', leftOut: '不发表', month: '本月已用', at: '试算于 {at}', from: '预计 {from} 提交', table: '每位员工可见的客户', none: '没有员工可以发表，请调整。', limit: '本月 {used} / {most} 条', near: '接近上限', full: '本月条数已用完，提交后会失败', waits: '这一分钟已满，会稍后提交', old: '条件已修改，请重新试算。', first: '只列出前 {n} 位',
      left: { account_off: '账号已停用', connection_paused: '连接已暂停', tags_unknown: '平台没有所选标签' },
    },
    time: { title: '发表期限', confirm: '等待员工发表', after: '天，之后收回未发表的任务' },
    review: { title: '概要', what: '内容', who: '发表', see: '可见', when: '时间', everybody: '员工的全部客户', tags: '带有标签：{names}', numbers: '{members} 位员工，{customers} 位客户可见', ready: '提交之前', fits: '可以提交。', empty: '还没有内容，请写下文字或添加图片。', approval: { none: '不需要审批，提交后按时发起。', size: '可见客户超过 {n} 人，需要第二个人审批。', role: '你的角色提交的内容需要第二个人审批。' } },
    preview: { title: '预览', nothing: '写下内容，这里会显示客户看到的样子', just: '刚刚', partly: '部分可见', how: '员工在企业微信里收到任务，确认后发表到自己的朋友圈。', picture: '图片 {n}', video: '视频', link: '链接' },
    run: {
      title: '结果', none: '还没有开始。', which: '哪一次', published: '已发表', of: '{n} / {all}', shown: '展示给客户', likes: '点赞', comments: '评论', people: '互动客户', freezing: '正在准备…', until: '{at} 之前可以发表', export: '导出', remind: '提醒员工', reminded: '已提醒 {n} 位员工', unlinked: '{n} 位员工没有绑定本系统的登录，无法提醒', withdraw: '收回未发表', withdrawn: '正在收回', missed: '这一次没有执行。', late: '补发',
      state: { freezing: '准备中', running: '进行中', done: '已完成', cancelled: '已取消', missed: '错过' },
    },
    state: { planned: '待提交', asked: '待发表', published: '已发表', refused: '平台不接受', withdrawn: '已收回', failed: '失败', uncertain: '不确定' },
    task: {
      queued: '等待提交到平台', calling: '正在提交', doubt: '平台没有及时答复，正在核对平台的列表；不会重复发表。', making: '平台正在创建任务', open: '员工可以发表了', done: '已结束', failed: '没有提交成功', uncertain: '两天内没能核实是否已提交', cancelled: '已取消',
      again: '再提交一次', askAgain: '再提交一次？', askText: '请先到企业微信管理后台确认这条朋友圈没有发出过：再提交会产生一条新的任务。', askFailed: '平台没有接受上一次提交。确认问题已解决后再提交。', did: '已重新提交',
    },
    ask: { title: '收回未发表的任务？', text: '还没有发表的员工将不再看到这个任务；已经发表的不受影响。', keep: '再想想' },
    posts: { title: '员工', state: '状态', any: '全部状态', none: '没有符合条件的员工', published: '{at} 发表', reminded: '已提醒 {n} 次', seen: '可见 {n}', shown: '展示 {n}', unlinked: '未绑定登录' },
    reactions: { title: '点赞与评论', any: '全部', like: '点赞', comment: '评论', none: '还没有点赞或评论。', note: '平台不提供评论的文字。', unknown: '未知客户', hidden: '其他员工的客户', on: '{name} 的朋友圈', more: '更多' },
  },
}
