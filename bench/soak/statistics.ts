/** A straight line through points, by least squares. */
export interface Trend {
  /** Of y for one of x. */
  readonly slope: number
  /** Half of the interval in which the slope lies with 95 % confidence, if the points are independent of each other; points that follow each other closely are not, and theirs is wider. */
  readonly margin: number
}

/** Of Student's t, two-sided 95 %, by degrees of freedom from 1 on; beyond, that of the normal distribution is near. */
const T95 = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09, 2.09,
]

export function trendOf(points: readonly (readonly [x: number, y: number])[]): Trend {
  const n = points.length
  if (n < 3) return { slope: Number.NaN, margin: Number.NaN }
  const mean = (of: 0 | 1) => points.reduce((sum, point) => sum + point[of], 0) / n
  const [meanX, meanY] = [mean(0), mean(1)]
  const sxx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / sxx
  const residual = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return { slope, margin: (T95[n - 3] ?? 1.97) * Math.sqrt(residual / (n - 2) / sxx) }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/** The n-th quarter, from 1 on, of values in their order. */
export function quarter<T>(values: readonly T[], n: 1 | 2 | 3 | 4): readonly T[] {
  return values.slice(Math.floor(((n - 1) * values.length) / 4), Math.floor((n * values.length) / 4))
}
