import { readFileSync } from 'node:fs'

/**
 * Most memory that this process has had, in bytes. On Linux from its own status: what `getrusage` tells begins with the memory of the
 * process that started this one.
 */
export function peakRssBytes(): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    if (kib !== undefined) return Number(kib) * 1024
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024
}
