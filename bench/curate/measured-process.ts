import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { cpuMsOf, rssMiBOf } from '../api/processes.ts'

/** What a program and all that it started have used. */
export interface Usage {
  readonly wallMs: number
  /** User and system, of all its processes. */
  readonly cpuMs: number
  /** The largest sum over its processes at one moment. Pages that they share count in each. */
  readonly peakRssMiB: number
}

export interface MeasuredProgram {
  readonly program: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Longer, it is killed and the bench fails. */
  readonly limitMs: number
  /** Each line of standard output and standard error. */
  onLine(line: string): void
}

const SAMPLE_MS = 200
const TAIL_LINES = 40

function parentOf(pid: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1])
  } catch {
    return undefined
  }
}

/** A process and all that descend from it. */
function treeOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = parentOf(entry)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

const residentMiB = (pid: number) => {
  try {
    return rssMiBOf(pid)
  } catch {
    return 0
  }
}

function killTree(root: number): void {
  for (const pid of treeOf(root).reverse()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Runs a program to its end. @throws Error with its last lines when it fails or takes too long. */
export async function measured(order: MeasuredProgram): Promise<Usage> {
  const began = performance.now()
  const child = spawn(order.program, order.args, { env: order.env, cwd: order.cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const root = child.pid ?? 0
  const cpu = new Map<number, number>()
  const last: string[] = []
  let peakRssMiB = 0
  let late = false
  const sample = () => {
    const tree = treeOf(root)
    peakRssMiB = Math.max(
      peakRssMiB,
      tree.reduce((sum, pid) => sum + residentMiB(pid), 0),
    )
    for (const pid of tree) cpu.set(pid, Math.max(cpu.get(pid) ?? 0, cpuMsOf(pid)))
    if (performance.now() - began > order.limitMs && !late) {
      late = true
      killTree(root)
    }
  }
  const interrupted = () => killTree(root)
  // Before what removes the folders that they write to.
  process.prependListener('exit', interrupted)
  const timer = setInterval(sample, SAMPLE_MS)
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line)
      if (last.length > TAIL_LINES) last.shift()
      order.onLine(line)
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit) => resolve(exit))
  }).finally(() => {
    clearInterval(timer)
    process.off('exit', interrupted)
  })
  if (late) throw new Error(`${order.program} took longer than ${order.limitMs / 60_000} minutes:\n${last.join('\n')}`)
  if (code !== 0) throw new Error(`${order.program} ended with ${code}:\n${last.join('\n')}`)
  return { wallMs: performance.now() - began, cpuMs: [...cpu.values()].reduce((a, b) => a + b, 0), peakRssMiB }
}
