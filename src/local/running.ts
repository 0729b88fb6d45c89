import { rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isStillRunning, type ProcessIdentity } from './process-identity.ts'
import { readPrivateFile, writePrivateFile } from './secrets.ts'

/**
 * What runs on a data folder right now: written by the process that brought it up, read by `rocketgames env` and by commands
 * that want to join in instead of starting a second copy.
 */
export interface Running {
  /** The process that brought it up. */
  readonly process: ProcessIdentity
  /** False while a start is still at its first steps: sample data, a first snapshot. They may have failed once it is true. */
  readonly ready: boolean
  /** What `rocketgames env` prints: names and values for a shell. */
  readonly values: Readonly<Record<string, string>>
}

const file = (dir: string) => path.join(dir, 'running.json')

export function announceRunning(dir: string, running: Running): void {
  writePrivateFile(file(dir), `${JSON.stringify(running, null, 2)}\n`)
}

export function forgetRunning(dir: string): void {
  rmSync(file(dir), { force: true })
}

/** The port that the database had when something last ran there, so that it can have it again. */
export function lastDatabasePort(dir: string): number | undefined {
  const text = readPrivateFile(path.join(dir, 'last-database-url'))
  return text === undefined ? undefined : Number(new URL(text).port) || undefined
}

export function rememberDatabase(dir: string, url: string): void {
  const { port } = new URL(url)
  writePrivateFile(path.join(dir, 'last-database-url'), `postgresql://127.0.0.1:${port}/`)
}

/** Undefined when nothing runs there; what a killed process left behind does not count. */
export function findRunning(dir: string): Running | undefined {
  const text = readPrivateFile(file(dir))
  if (text === undefined) return undefined
  const running = JSON.parse(text) as Running
  return isStillRunning(running.process) ? running : undefined
}

const POLL_MS = 200

/** Waits for what runs on the folder to have done its first steps, if something does. @param onWait is called once, when there is to wait. */
export async function whenReady(dir: string, onWait: () => void): Promise<void> {
  for (let told = false; findRunning(dir)?.ready === false; told = true) {
    if (!told) onWait()
    await delay(POLL_MS)
  }
}
