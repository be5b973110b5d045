export default {
  rights: {
    place: { team: '团队', library: '素材', settings: '设置' },
    find: '查找设置',
    findNothing: '没有这样的设置',
    toSettings: '回到设置',
    group: { mine: '我的账号', company: '公司', channels: '渠道', inbox: '收件箱', library: '素材库', security: '安全' },
    section: {
      me: '个人资料',
      people: '成员',
      connections: '平台连接',
      events: '异常事件',
    },
  },
}
