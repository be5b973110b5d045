export default {
  contents: {
    title: '内容库', text: '写好一次、反复使用的群发内容。改动会成为新版本，由另一个人审批后才能用于群发；可以设最后使用日期。',
    make: '新建内容', none: '内容库还是空的', noneText: '把常用的群发内容写在这里，审批后在新建群发时直接选用。', nothingFound: '没有符合的内容', failed: '内容没有加载出来', denied: '你没有查看内容库的权限',
    search: '按名称查找', usable: '只看可用的', back: '内容库',
    state: { draft: '待审批', approved: '可用', expired: '已过期' },
    attachments: '{n} 个附件', until: '用到 {day}', forever: '长期有效', changed: '{when} 更新',
    versions: '版本', version: '第 {n} 版', by: '{name} 写于 {when}', byNobody: '写于 {when}', approvedBy: '{name} 审批', notApproved: '还没有审批', inUse: '群发使用这一版',
    difference: '与上一版的不同', firstVersion: '这是第一版。', same: '文字没有变化。', attachmentsNow: '附件：{before} 个 → {now} 个', variantsNow: '有单独内容的渠道：{names}',
    uses: '{n} 个群发正在使用', notUsed: '还没有群发使用',
    approve: '审批通过', approved: '已审批，可以用于群发', approveHint: '请看过右侧的效果再审批。自己写的版本要由别人审批。',
    edit: '修改', remove: '删除', use: '用它新建群发', keep: '保存', kept: '已保存，等待审批', name: '内容名称', expires: '最后使用日期', expiresHint: '不填就长期有效', untitled: '未命名内容',
    editing: '保存后会成为第 {n} 版，需要重新审批；在此之前群发仍使用已审批的版本。', notNow: '你不能修改这条内容',
    pick: '从内容库选用', pickText: '选用后会替换现在写的内容。', picked: '已选用，可以继续修改', pickNone: '没有已审批且未过期的内容', saveAs: '存入内容库', savedAs: '已存入内容库，等待审批', choose: '选用',
  },
}
