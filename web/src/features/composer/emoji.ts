/** A small set of our own: what reps write to customers, by group, with words to find it by. */

export interface Emoji {
  char: string
  words: string
}

const list = (text: string): Emoji[] =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const [char = '', ...words] = line.trim().split(' ')
      return { char, words: words.join(' ') }
    })

export const GROUPS: readonly { key: 'faces' | 'hands' | 'things' | 'signs'; emoji: Emoji[] }[] = [
  {
    key: 'faces',
    emoji: list(`
😊 微笑 smile weixiao
😄 开心 happy kaixin
😁 呲牙 grin ciya
😂 笑哭 joy xiaoku
🤣 大笑 laugh daxiao
🙂 浅笑 slight qianxiao
😉 眨眼 wink zhayan
😍 喜欢 love xihuan
🥰 爱意 adore aiyi
😘 亲亲 kiss qinqin
😋 好吃 yum haochi
😎 酷 cool ku
🤗 拥抱 hug yongbao
🤔 思考 think sikao
😅 尴尬 sweat ganga
😬 呃 grimace e
😳 脸红 flushed lianhong
🥺 求求 please qiuqiu
😭 大哭 cry daku
😢 难过 sad nanguo
😔 失落 down shiluo
😟 担心 worried danxin
😮 惊讶 wow jingya
😴 睡觉 sleep shuijiao
🤒 生病 sick shengbing
😇 天使 angel tianshi
🤝 合作 deal hezuo
🫡 收到 salute shoudao
`),
  },
  {
    key: 'hands',
    emoji: list(`
👍 赞 good zan
👎 不好 bad buhao
👌 好的 ok haode
✌️ 胜利 victory shengli
🙏 谢谢 thanks xiexie
👏 鼓掌 clap guzhang
💪 加油 strong jiayou
👋 你好 hello nihao
🤙 电话 call dianhua
👇 下面 down xiamian
👆 上面 up shangmian
👉 这里 here zheli
🙌 太好了 hooray taihaole
✍️ 记下 write jixia
❤️ 爱心 heart aixin
💛 黄心 yellow huangxin
💚 绿心 green lvxin
💙 蓝心 blue lanxin
🌹 玫瑰 rose meigui
💐 鲜花 flowers xianhua
🎉 庆祝 party qingzhu
🎊 礼花 confetti lihua
🎁 礼物 gift liwu
🧧 红包 redpacket hongbao
🏮 灯笼 lantern denglong
🍀 好运 luck haoyun
☀️ 早安 sun zaoan
🌙 晚安 moon wanan
`),
  },
  {
    key: 'things',
    emoji: list(`
📦 包裹 parcel baoguo
🚚 发货 truck fahuo
🛒 购物车 cart gouwuche
🛍️ 购物 shopping gouwu
💰 钱 money qian
💳 付款 card fukuan
🧾 收据 receipt shouju
🎫 优惠券 coupon youhuiquan
🏷️ 价格 price jiage
📅 日期 date riqi
⏰ 闹钟 clock naozhong
⏳ 等待 wait dengdai
📞 电话 phone dianhua
📱 手机 mobile shouji
💻 电脑 computer diannao
📧 邮件 mail youjian
📍 地址 place dizhi
🏠 家 home jia
🏢 公司 office gongsi
🛋️ 沙发 sofa shafa
💡 灯 lamp deng
🪑 椅子 chair yizi
🛏️ 床 bed chuang
📏 尺寸 size chicun
🔧 安装 tool anzhuang
🔨 维修 repair weixiu
📷 拍照 photo paizhao
📄 文件 file wenjian
📎 附件 clip fujian
🔗 链接 link lianjie
☕ 咖啡 coffee kafei
🍵 茶 tea cha
`),
  },
  {
    key: 'signs',
    emoji: list(`
✅ 完成 done wancheng
☑️ 勾选 check gouxuan
❌ 不行 no buxing
❗ 注意 attention zhuyi
❓ 问题 question wenti
⚠️ 警告 warning jinggao
💯 满分 hundred manfen
🔥 热卖 hot remai
⭐ 星星 star xingxing
✨ 闪亮 sparkle shanliang
🆕 新品 new xinpin
🆗 可以 ok keyi
🆓 免费 free mianfei
🔝 最好 top zuihao
➡️ 向右 right xiangyou
⬇️ 向下 down xiangxia
🔴 红点 red hongdian
🟢 绿点 green lvdian
1️⃣ 一 one yi
2️⃣ 二 two er
3️⃣ 三 three san
4️⃣ 四 four si
5️⃣ 五 five wu
♻️ 回收 recycle huishou
`),
  },
]

const KEY = 'scrm.emoji'
const MOST = 16

export function recentEmoji(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string').slice(0, MOST) : []
  } catch {
    return []
  }
}

export function noteEmoji(char: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([char, ...recentEmoji().filter((one) => one !== char)].slice(0, MOST)))
  } catch {
    // Without storage nothing is remembered.
  }
}
