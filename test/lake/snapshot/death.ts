import type { FaultPoint } from '../../../src/lake/snapshot/faults.ts'
import type { Tap } from '../../../src/lake/tap.ts'

/** Writes down every point that is met, in order. */
export function recorder(): Tap & { readonly met: string[] } {
  const met: string[] = []
  const note = (point: string) => {
    met.push(point)
  }
  return {
    met,
    before: (name) => note(`before-${name}`),
    during: (name) => note(`during-${name}`),
    after: (name) => note(`after-${name}`),
  }
}

/**
 * Death without a process of its own: from the point on no call leaves the lake any more and no control row is written, whatever the
 * code tries. What was on its way arrives.
 */
export function deathAt(point: FaultPoint): Tap & { readonly dead: boolean } {
  let dead = false
  const reached = (name: string) => {
    if (name === point) dead = true
    if (dead) throw new Error('The process is dead')
  }
  return {
    get dead() {
      return dead
    },
    before: (name) => reached(`before-${name}`),
    during: (name) => {
      if (`during-${name}` === point) dead = true
    },
    after: (name) => reached(`after-${name}`),
  }
}
