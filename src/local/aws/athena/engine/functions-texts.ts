import type { Implementation } from './values.ts'

export const TEXTS: Readonly<Record<string, Implementation>> = {}
