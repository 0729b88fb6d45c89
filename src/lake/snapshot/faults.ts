/**
 * Places where a test may kill the process, so that recovery is proved at each of them: `FAULT=<point>:kill`. One comparison in
 * production, where the setting is unset.
 */
export const FAULT_POINTS = [
  'after-create-upload',
  'mid-part',
  'after-last-part',
  'before-prepared',
  'after-prepared',
  'before-first-complete',
  'between-completes',
  'before-manifest',
  'after-manifest',
  'before-views',
] as const

export type FaultPoint = (typeof FAULT_POINTS)[number]

/** @returns a function that ends the process, as a power cut would, at the point that `setting` names. */
export function faults(setting: string | undefined): (point: FaultPoint) => void {
  return (point) => {
    if (setting === `${point}:kill`) process.kill(process.pid, 'SIGKILL')
  }
}
