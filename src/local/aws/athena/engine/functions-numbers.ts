import type { Implementation } from './values.ts'

export const NUMBERS: Readonly<Record<string, Implementation>> = {}
