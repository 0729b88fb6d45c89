/**
 * How often a test repeats: few times in `npm test`, the full count in `npm run proof -- <name>`. One place, so that no test
 * has a switch of its own.
 */
export const counted = (small: number, full: number): number => (process.env.PROOF === 'full' ? full : small)
