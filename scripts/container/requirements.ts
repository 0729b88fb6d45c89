import { attempt, run } from './command.ts'

/** Programs, by the Debian package that brings them. */
const NEEDED = { buildah: 'buildah', debootstrap: 'debootstrap', runc: 'runc', haproxy: 'haproxy' } as const

async function missingPrograms(): Promise<string[]> {
  const found = await Promise.all(
    Object.keys(NEEDED).map(async (program) => {
      const { code } = await attempt('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`])
      return code === 0 ? [] : [program]
    }),
  )
  return found.flat()
}

/**
 * Installs what builds and runs images without Docker.
 *
 * @throws Error naming what is missing where it cannot be installed: not as root, or not on a Debian.
 */
export async function ensureRequirements(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error('Images are built and run by root here (chroot, mounts, namespaces): run it as root, or use Docker')
  }
  const missing = await missingPrograms()
  if (missing.length === 0) return
  const packages = missing.map((program) => NEEDED[program as keyof typeof NEEDED])
  const apt = await attempt('sh', ['-c', 'command -v apt-get'])
  if (apt.code !== 0) throw new Error(`${missing.join(', ')}: not installed, and there is no apt-get to install it by`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-qq'], { env })
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env })
  const still = await missingPrograms()
  if (still.length > 0) throw new Error(`${still.join(', ')}: still not there after apt-get install`)
}
