import type { Implementation } from './values.ts'

export const REGEXPS: Readonly<Record<string, Implementation>> = {}
