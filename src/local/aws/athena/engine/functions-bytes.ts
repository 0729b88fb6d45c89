import type { Implementation } from './values.ts'

export const BYTES: Readonly<Record<string, Implementation>> = {}
