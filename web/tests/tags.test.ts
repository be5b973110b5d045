import { expect, it } from 'vitest'
import { find } from '@/features/stages/finding'

const tags = [
  { name: '高端客户', group: '等级', keys: 'gaoduankehu\ngdkh' },
  { name: '普通客户', group: '等级', keys: 'putongkehu\nptkh' },
  { name: 'VIP', group: '等级', keys: '' },
]
const names = (typed: string) => find(tags, typed).map((tag) => tag.name)

it('finds tags by their words, pinyin, initials and group', () => {
  expect(names('')).toEqual(['高端客户', '普通客户', 'VIP'])
  expect(names('普')).toEqual(['普通客户'])
  expect(names('gaod')).toEqual(['高端客户'])
  expect(names('PTKH')).toEqual(['普通客户'])
  expect(names('vi')).toEqual(['VIP'])
  expect(names('等级')).toHaveLength(3)
  expect(names('kehu')).toEqual(['高端客户', '普通客户'])
  expect(names('无')).toEqual([])
})
