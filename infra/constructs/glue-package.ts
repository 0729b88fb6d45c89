import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Asset } from 'aws-cdk-lib/aws-s3-assets'
import { Construct } from 'constructs'
import { rdsCertificates } from '../../scripts/container/rds-certificates.ts'
import { packageGlue } from '../../scripts/package-glue.ts'

const REQUIREMENTS = path.resolve(import.meta.dirname, '../../glue-jobs/requirements.txt')
export const GLUE_SCRIPTS = ['curate_accounts', 'load_warehouse', 'unload_snapshot'] as const
export type GlueScript = (typeof GLUE_SCRIPTS)[number]

/** Glue has pyarrow 17; what the two need is pinned with them. */
const UNLOAD_MODULES = ['pyarrow', 'cryptography', 'cffi', 'pycparser']

/**
 * A file of requirements: modules in the versions that the jobs are tested with, by the same hashes, so that pip takes nothing else for
 * them; built ones, as Glue compiles nothing.
 *
 * @param names those that they need included
 * @throws Error for a module without a pin.
 */
export function hashedModules(names: readonly string[]): string {
  const blocks = readFileSync(REQUIREMENTS, 'utf8').split(/\n(?=\S)/)
  const pins = names.map((name) => {
    const block = blocks.find((each) => each.startsWith(`${name}==`))
    const [pin = '', ...hashes] = (block ?? '').split('\n').filter((line) => /==|--hash=/.test(line))
    if (hashes.length === 0) throw new Error(`glue-jobs/requirements.txt has no pin for ${name}`)
    return [pin, ...hashes].join('\n')
  })
  return ['--only-binary :all:', ...pins, ''].join('\n')
}

/** What AWS Glue gets of `glue-jobs`: equal sources have equal names in S3, so nothing is replaced under a job that runs. */
export class GluePackage extends Construct {
  readonly scripts: Readonly<Record<GlueScript, Asset>>
  /** `--extra-py-files` of all scripts. */
  readonly modules: Asset
  /** What the job that unloads needs beside what Glue has: `--additional-python-modules`, with the option `-r`. */
  readonly unloadModules: Asset
  /** The authorities of RDS, which Java does not know: `--extra-files`. */
  readonly certificates: Asset

  constructor(scope: Construct, id: string) {
    super(scope, id)
    const folder = mkdtempSync(path.join(tmpdir(), 'glue-package-'))
    try {
      packageGlue(folder)
      const asset = (name: string, file: string) => new Asset(this, name, { path: path.join(folder, file) })
      this.scripts = {
        curate_accounts: asset('Curate', 'curate_accounts.py'),
        load_warehouse: asset('Load', 'load_warehouse.py'),
        unload_snapshot: asset('Unload', 'unload_snapshot.py'),
      }
      this.modules = asset('Modules', 'rocketgames_glue.zip')
      writeFileSync(path.join(folder, 'requirements.txt'), hashedModules(UNLOAD_MODULES))
      this.unloadModules = asset('UnloadModules', 'requirements.txt')
      writeFileSync(path.join(folder, 'rds-ca.pem'), rdsCertificates(new Date()))
      this.certificates = asset('Certificates', 'rds-ca.pem')
    } finally {
      // An asset is copied when it is made.
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
