import type { Palette } from './palette'

/** The shapes of charts that the reports share. */
export interface Series {
  name: string
  values: (number | null)[]
  color?: string
}

const shared = (palette: Palette) => ({
  tooltip: { trigger: 'axis', backgroundColor: palette.panel, borderColor: palette.line, textStyle: { color: palette.ink, fontSize: 12 }, confine: true },
  grid: { left: 4, right: 12, top: 30, bottom: 4, containLabel: true },
})
const axes = (palette: Palette) => ({
  category: { axisLine: { lineStyle: { color: palette.line } }, axisTick: { show: false }, axisLabel: { color: palette.ink3, fontSize: 11, hideOverlap: true } },
  value: { splitLine: { lineStyle: { color: palette.line } }, axisLabel: { color: palette.ink3, fontSize: 11 }, minInterval: 1 },
})

/** Sums over time: bars side by side. */
export function bars(palette: Palette, names: string[], series: Series[]): object {
  const { category, value } = axes(palette)
  return {
    ...shared(palette),
    legend: { top: 0, left: 0, itemWidth: 10, itemHeight: 10, icon: 'roundRect', textStyle: { color: palette.ink2, fontSize: 12 } },
    xAxis: { type: 'category', data: names, ...category },
    yAxis: { type: 'value', ...value },
    series: series.map((one) => ({ type: 'bar', name: one.name, data: one.values, barMaxWidth: 18, itemStyle: { borderRadius: [3, 3, 0, 0], ...(one.color ? { color: palette.hue(one.color) } : {}) } })),
  }
}

/** Lines over time; a day without a value leaves a gap. */
export function lines(palette: Palette, names: string[], series: Series[], said: (value: number) => string): object {
  const { category, value } = axes(palette)
  const base = shared(palette)
  return {
    ...base,
    tooltip: { ...base.tooltip, valueFormatter: (one: number | null) => (one === null || one === undefined ? '–' : said(one)) },
    legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 8, textStyle: { color: palette.ink2, fontSize: 12 } },
    xAxis: { type: 'category', data: names, boundaryGap: false, ...category },
    yAxis: { type: 'value', ...value, axisLabel: { ...value.axisLabel, formatter: said } },
    series: series.map((one) => ({ type: 'line', name: one.name, data: one.values, smooth: 0.2, symbolSize: 5, ...(one.color ? { itemStyle: { color: palette.hue(one.color) } } : {}) })),
  }
}

/** The most frequent first, with room for long names. */
export function ranking(palette: Palette, names: string[], values: number[], colors: (string | null)[] = []): object {
  const { category, value } = axes(palette)
  const base = shared(palette)
  return {
    ...base,
    grid: { ...base.grid, top: 4, right: 44 },
    xAxis: { type: 'value', ...value, axisLabel: { ...value.axisLabel, hideOverlap: true } },
    yAxis: { type: 'category', inverse: true, data: names, ...category, axisLabel: { ...category.axisLabel, width: 110, overflow: 'truncate', hideOverlap: false } },
    series: [{ type: 'bar', barMaxWidth: 18, label: { show: true, position: 'right', color: palette.ink2, fontSize: 11 }, data: values.map((one, n) => ({ value: one, itemStyle: { borderRadius: [0, 3, 3, 0], ...(colors[n] ? { color: palette.hue(colors[n]!) } : {}) } })) }],
  }
}

/** Steps that grow narrower. */
export function steps(palette: Palette, parts: { name: string; value: number; color: string }[]): object {
  const base = shared(palette)
  return {
    tooltip: { ...base.tooltip, trigger: 'item' },
    series: [
      {
        type: 'funnel',
        sort: 'none',
        left: 4,
        right: 4,
        top: 4,
        bottom: 4,
        min: 0,
        minSize: '0%',
        gap: 3,
        label: { position: 'inside', color: palette.ink, fontSize: 12, formatter: '{b}  {c}', textBorderColor: palette.panel, textBorderWidth: 2 },
        itemStyle: { borderWidth: 0, opacity: 0.85 },
        data: parts.map((part) => ({ name: part.name, value: part.value, itemStyle: { color: palette.hue(part.color) } })),
      },
    ],
  }
}
