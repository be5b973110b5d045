export default {
  stages: {
    stage: { title: '客户阶段', moveTo: '移到“{stage}”' },
    why: {
      open: '为什么移到“{stage}”？',
      won: '为什么赢得了这个客户？',
      lost: '为什么失去了这个客户？',
      label: '原因',
      placeholder: '选一个，或自己写',
      move: '移动',
    },
    tag: {
      title: '客户标签',
      find: '找标签：文字、拼音或首字母',
      oneOnly: '只选一个',
      noMatch: '没有匹配的标签',
      nothing: '还没有标签',
      manage: '管理标签',
      remove: '去掉标签“{name}”',
    },
  },
}
