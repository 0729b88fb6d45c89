import type { Implementation } from './values.ts'

export const COLLECTIONS: Readonly<Record<string, Implementation>> = {}
