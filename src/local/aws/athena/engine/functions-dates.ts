import type { Implementation } from './values.ts'

export const DATES: Readonly<Record<string, Implementation>> = {}
