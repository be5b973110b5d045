/** Whom campaigns reach: lists of people, and what keeps campaigns from somebody. */
export default {
  peopleLists: {
    pick: '名单', any: '不限', open: '上传或管理名单', exclude: '不发给名单中的客户', noList: '不用', title: '客户名单',
    make: '新名单', name: '名单名称', source: '名单', paste: '粘贴名单，每行一位：手机号、客户编号，或平台上的外部编号', file: '选择 .xlsx 或 .csv 文件', chosen: '已选择 {name}', clear: '去掉',
    headings: '表格里有“手机号”“客户编号”“外部编号”这样的表头时，按表头识别。', uploading: '正在上传 {n}%', reading: '正在识别客户…', store: '识别并保存',
    found: '找到 {n} 位客户', unknown: '{n} 行没有找到', twice: '{n} 行重复', missing: '没有找到的行（只在你看得到的客户里找）', line: '第 {n} 行', download: '下载全部没有找到的行', use: '用这份名单', another: '再建一份',
    kept: '已有的名单', none: '还没有名单', by: '{name} · {at}', delete: '删除名单“{name}”', deleted: '这份名单已删除', numbers: '{n} 位客户',
  },
  results: { stale: '没有更新到最新，下面是之前的内容。', exportAs: '导出为 {format}', untold: '平台不告知', openReply: '打开{name}的回复' },
  campaigns: { reason: { excluded_list: { name: '在排除名单中', why: '在这次群发排除的名单里' } } },
}
