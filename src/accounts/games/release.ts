import type { FieldError } from '../../errors.ts'
import { fromDay } from '../text/calendar-date.ts'

/** How exactly the release date is known, the finest first; `tba`: not at all. */
export const RELEASE_PRECISIONS = ['day', 'month', 'quarter', 'year', 'tba'] as const
export type ReleasePrecision = (typeof RELEASE_PRECISIONS)[number]

export interface Release {
  /** The last day of the month, quarter or year, so that sorting is right; NULL exactly with `tba`. */
  readonly releaseDate: string | null
  readonly releasePrecision: ReleasePrecision
}

/** What a caller says about the release; absent stays as it is. */
export interface ReleasePatch {
  readonly releaseDate?: string | null | undefined
  readonly releasePrecision?: ReleasePrecision | undefined
}

export const TO_BE_ANNOUNCED: Release = { releaseDate: null, releasePrecision: 'tba' }

const MONTHS: Readonly<Record<'month' | 'quarter' | 'year', number>> = { month: 1, quarter: 3, year: 12 }

/** The day by which a date is stored: the last of its month, quarter or year. */
export function lastDayOf(date: string, precision: Exclude<ReleasePrecision, 'tba'>): string {
  if (precision === 'day') return date
  const months = MONTHS[precision]
  const month = Number(date.slice(5, 7))
  const last = Math.ceil(month / months) * months
  const day = new Date(0)
  // Day 0 of the month after: the last day of this one. Not Date.UTC, which takes years below 100 for 19xx.
  day.setUTCFullYear(Number(date.slice(0, 4)), last, 0)
  return fromDay(day)
}

/**
 * The release after what a caller said about it. A date alone keeps the precision, or is exact to the day when there was none;
 * a coarser precision alone widens the stored date; `tba` alone, or the date null, takes the date away.
 */
export function releaseAfter(before: Release, patch: ReleasePatch): Release | FieldError {
  const { releaseDate: date, releasePrecision: precision } = patch
  if (date === undefined && precision === undefined) return before
  if (date === null || (date === undefined && precision === 'tba')) {
    return precision === undefined || precision === 'tba' ? TO_BE_ANNOUNCED : dateNeeded(precision)
  }
  if (date === undefined) return widened(before, precision as Exclude<ReleasePrecision, 'tba'>)
  if (precision === 'tba') {
    return { pointer: '/releaseDate', code: 'not-allowed', detail: 'must be null or absent with the precision tba' }
  }
  const kept = precision ?? (before.releasePrecision === 'tba' ? 'day' : before.releasePrecision)
  return { releaseDate: lastDayOf(date, kept), releasePrecision: kept }
}

/** Is this a refusal of `releaseAfter`? */
export function isRefused(release: Release | FieldError): release is FieldError {
  return !('releasePrecision' in release)
}

/** A stored date is exact to its precision only: a finer one needs a new date. */
function widened(before: Release, precision: Exclude<ReleasePrecision, 'tba'>): Release | FieldError {
  const finer = RELEASE_PRECISIONS.indexOf(precision) < RELEASE_PRECISIONS.indexOf(before.releasePrecision)
  if (before.releaseDate === null || finer) return dateNeeded(precision)
  return { releaseDate: lastDayOf(before.releaseDate, precision), releasePrecision: precision }
}

function dateNeeded(precision: ReleasePrecision): FieldError {
  return { pointer: '/releaseDate', code: 'required', detail: `the precision ${precision} needs a date` }
}
