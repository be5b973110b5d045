/** Words that come with the page that says them: the first view does without. */

import { i18n } from '@/i18n'
import en from '../parts/money.en'
import zhCN from '../parts/money.zh-CN'

i18n.global.mergeLocaleMessage('zh-CN', zhCN)
i18n.global.mergeLocaleMessage('en', en)
