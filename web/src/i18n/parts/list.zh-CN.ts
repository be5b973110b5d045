export default {
  list: {
    group: { conversation: '当前会话', list: '会话列表', composer: '写回复', go: '前往', look: '外观', other: '通用' },
    command: {
      bar: '命令栏',
      ask: '输入命令，或搜索客户、会话、聊天内容',
      none: '没有匹配的命令',
      next: '下一个会话',
      previous: '上一个会话',
      close: '完成会话',
      reopen: '重新打开会话',
      customer: '客户资料',
      leave: '关闭侧边栏',
      hide: '关闭弹层',
      go: '打开{page}',
    },
    undo: {
      do: '撤销',
      done: '已撤销',
      partly: '已撤销 {n} 项；{m} 项期间被别人改过，保持不动',
      many: '{what}（{n} 个）',
      changed: '期间被别人改过，没有撤销',
      expired: '时间太久，不能再撤销',
    },
    did: {
      other: '已完成',
      conversation: {
        close: '会话已完成',
        reopen: '会话已重新打开',
        assign: '会话已转交',
        label: '标签已更改',
        snooze: '会话已稍后提醒',
        read: '已标为已读',
        helpers: '协作人已更改',
        macro: '宏已执行',
      },
    },
  },
}
