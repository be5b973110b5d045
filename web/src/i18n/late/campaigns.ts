/** Words that come with the pages that say them: the first view does without. Imported by what all those pages import. */

import { i18n } from '@/i18n'
import en from '../parts/campaigns.en'
import zhCN from '../parts/campaigns.zh-CN'
import contentsEn from '../parts/contents.en'
import contentsZh from '../parts/contents.zh-CN'
import reachEn from '../parts/reach.en'
import reachZh from '../parts/reach.zh-CN'

i18n.global.mergeLocaleMessage('zh-CN', zhCN)
i18n.global.mergeLocaleMessage('en', en)
i18n.global.mergeLocaleMessage('zh-CN', reachZh)
i18n.global.mergeLocaleMessage('en', reachEn)
i18n.global.mergeLocaleMessage('zh-CN', contentsZh)
i18n.global.mergeLocaleMessage('en', contentsEn)
