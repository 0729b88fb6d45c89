import { z } from 'zod'

/** How values of the environment are written: durations, sizes, quotas, keys, lists. Each refuses what it does not allow. */

const MIB = 1024 * 1024

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90`, `90s`, `500ms`, `45min`, `6h`, `2d` in milliseconds; a bare number is seconds. */
export const duration = (name: string, fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?$/.exec(text.trim())
      if (!match) {
        context.addIssue({ code: 'custom', message: `${name} must be a duration such as 500ms, 60s, 45min or 6h` })
        return z.NEVER
      }
      return Math.round(Number(match[1]) * (UNITS_MS[match[2] ?? 's'] ?? 1000))
    })

/** `1048576`, `64MiB`, `4GiB` in bytes. */
export const bytes = (name: string, fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const match = /^(\d+)\s*(KiB|MiB|GiB)?$/.exec(text.trim())
      if (!match) {
        context.addIssue({ code: 'custom', message: `${name} must be a size such as 262144, 64MiB or 4GiB` })
        return z.NEVER
      }
      const unit = { KiB: 1024, MiB: MIB, GiB: 1024 * MIB }[match[2] ?? ''] ?? 1
      return Number(match[1]) * unit
    })

export const wholeNumber = (min: number, max: number) => {
  const allowed = `must be a whole number from ${min} to ${max}`
  return z.coerce.number<string>(allowed).int(allowed).min(min, allowed).max(max, allowed)
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

export const integer = (fallback: number, min: number, max: number) => wholeNumber(min, max).default(fallback)

/** `6000/60s`: so many requests in so long. */
export const quota = (name: string, fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const match = /^([1-9]\d{0,8})\s*\/\s*([1-9]\d{0,4})\s*(s|min|h)?$/.exec(text.trim())
      if (!match) {
        context.addIssue({
          code: 'custom',
          message: `${name} must be requests in a time, such as 6000/60s or 100/1min`,
        })
        return z.NEVER
      }
      return { count: Number(match[1]), windowSeconds: (Number(match[2]) * (UNITS_MS[match[3] ?? 's'] ?? 1000)) / 1000 }
    })

export const port = (fallback: number) => integer(fallback, 0, 65_535)
/** A key with its version in front, in one text, so that both change in the same instant; without it the version is 1. */
export const versionedKey = z
  .string()
  .regex(
    /^([1-9]\d{0,5}:)?[0-9a-f]{64}$/i,
    'must be 64 hex digits (32 random bytes), with its version in front as in 2:0123…',
  )
/** A key, and behind it those that still hold while it is being rotated. */
export const hexKeys = z
  .string()
  .regex(
    /^[0-9a-f]{64}(,[0-9a-f]{64}){0,2}$/i,
    'must be 64 hex digits (32 random bytes), or up to three such keys with commas',
  )
export const flag = (fallback: 'on' | 'off') =>
  z
    .enum(['on', 'off'])
    .default(fallback)
    .transform((v) => v === 'on')
export const name = z.string().regex(/^[a-z0-9_]{1,64}$/, 'must be 1-64 of a-z, 0-9 and _')

/** `subnet-1, subnet-2`. */
export const ids = z
  .string()
  .transform((text) => text.split(',').map((each) => each.trim()))
  .refine((items) => items.length <= 16 && items.every((each) => /^[A-Za-z0-9-]{1,64}$/.test(each)), {
    message: 'must be at most 16 ids with commas between them',
  })

/** A role of the database; shorter than Postgres allows, so that a rotation can append `_clone`. */
export const roleName = z.string().regex(/^[a-z_][a-z0-9_]{0,56}$/, 'must be 1-57 of a-z, 0-9 and _, a digit not first')

/** Printable ASCII only, which SCRAM leaves as it is. */
export const rolePassword = z
  .string()
  .regex(/^[\x21-\x7e]{16,256}$/, 'must be 16-256 printable ASCII characters without spaces')

const ADDRESS =
  'must be postgresql://user:password@host:port/database, with all that is special in its parts percent-encoded'

/** As the driver reads it, which takes an address without a host as well. */
export const databaseAddress = z
  .string()
  .startsWith('postgres', ADDRESS)
  .refine((text) => URL.canParse(text) || URL.canParse(text.replace('@/', '@host/')), ADDRESS)

export const endpoint = z.url({ protocol: /^https?$/, error: 'must be an address such as http://127.0.0.1:4566' })
