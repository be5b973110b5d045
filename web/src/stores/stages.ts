import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { stagesApi, type StageView, type TagGroupView, type TagView } from '@/api/stages'

/** A tag with the colour and name of its group. */
export interface ShownTag extends TagView {
  color: TagGroupView['color']
  group: string
  exclusive: boolean
}

/** The company's stages and tags, in order, read once and again on demand. Those put away are kept: customers may still carry them. */
export const useStages = defineStore('stages', () => {
  const stages = shallowRef<StageView[]>([])
  const groups = shallowRef<TagGroupView[]>([])
  let reading: Promise<void> | null = null

  const offered = computed(() => stages.value.filter((stage) => !stage.archived))
  const stageById = computed(() => new Map(stages.value.map((stage) => [stage.id, stage])))
  const tags = computed<ShownTag[]>(() =>
    groups.value.flatMap((group) =>
      group.tags.map((tag) => ({
        ...tag,
        archived: tag.archived || group.archived,
        color: group.color,
        group: group.name,
        exclusive: group.exclusive,
      })),
    ),
  )
  const tagById = computed(() => new Map(tags.value.map((tag) => [tag.id, tag])))

  /** Reads both lists; callers that come meanwhile wait for the same answers. */
  function load(): Promise<void> {
    reading ??= Promise.all([stagesApi.stages(), stagesApi.tags()])
      .then(([some, library]) => {
        stages.value = some.stages
        groups.value = library.groups
      })
      .finally(() => (reading = null))
    return reading
  }

  /** Reads them unless they are here. */
  const need = (): Promise<void> => (stages.value.length || groups.value.length ? Promise.resolve() : load())
  const takeStages = (list: StageView[]) => (stages.value = list)
  const takeGroups = (list: TagGroupView[]) => (groups.value = list)

  /** Those of a customer, in the company's order. */
  const tagsOf = (ids: readonly number[]): ShownTag[] => tags.value.filter((tag) => ids.includes(tag.id))

  return { stages, groups, offered, stageById, tags, tagById, load, need, takeStages, takeGroups, tagsOf }
})
