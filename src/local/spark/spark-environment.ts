import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { classArchiveOptions } from './class-archive.ts'
import { environmentRoot, type PythonEnvironment, pythonEnvironment } from './python-environment.ts'
import { JARS_MEGABYTES, sparkJars } from './spark-jars.ts'

/** Spark as AWS Glue 5 has it: 3.5.4 on Python 3.11 and Java 17. */
const PYTHON = '3.11'
const PACKAGES_MEGABYTES = 420
const NO_JAVA = 'Java 17 is not installed (Debian 12: apt-get install openjdk-17-jre-headless)'

/** The jobs as they lie in a checkout and in an installed package alike. */
export const GLUE_JOBS: string = path.resolve(import.meta.dirname, '../../../glue-jobs')

export interface SparkPlace {
  /** An interpreter with all that `requirements.txt` names. */
  readonly python: string
  /** S3A and what it needs, and the JDBC driver. */
  readonly jars: readonly string[]
  /** For Spark's Java: see `classArchiveOptions`. */
  readonly javaOptions: string
}

export type SparkEnvironment = SparkPlace | { readonly missing: string }

/** Told in a sentence what is about to be downloaded, from where and how long it takes. */
export type Announce = (sentence: string) => void

const silent: Announce = () => undefined
const java = () => (process.env.JAVA_HOME ? path.join(process.env.JAVA_HOME, 'bin/java') : 'java')

/** What Java says of itself, or nothing. Spark 3.5 runs on Java 8, 11 and 17; only 17 is what Glue 5 has. */
async function findJava(): Promise<string | undefined> {
  try {
    const { stderr } = await promisify(execFile)(java(), ['-version'])
    return / version "17[."]/.test(stderr) ? stderr : undefined
  } catch {
    return undefined
  }
}

/** Python with the packages of the jobs, without Java: for what reads and writes Parquet alone. */
export function gluePython(announce: Announce = silent): Promise<PythonEnvironment> {
  const file = path.join(GLUE_JOBS, 'requirements.txt')
  if (!existsSync(file)) throw new Error(`${file} is not there: this installation lacks the folder glue-jobs`)
  return pythonEnvironment({
    name: 'glue',
    requirements: { file },
    version: PYTHON,
    onInstall: () =>
      announce(
        `Spark is installed now, once: ${PACKAGES_MEGABYTES} MB of packages from PyPI into ${environmentRoot()}; half a minute to several, as the line is.`,
      ),
  })
}

/**
 * Everything that a job needs on this machine, installed once and kept: 26 s and 24 s on a new machine with a quick line, half a minute
 * for the archive of classes, nothing afterwards.
 *
 * @returns `missing` names what the machine lacks, with Debian's name of it.
 */
export async function sparkEnvironment(announce: Announce = silent): Promise<SparkEnvironment> {
  const version = await findJava()
  if (version === undefined) return { missing: NO_JAVA }
  const environment = await gluePython(announce)
  if ('missing' in environment) return environment
  const found = await sparkJars(environment.python, () =>
    announce(`${JARS_MEGABYTES} MB of jars for S3 and Postgres come from Maven Central, once; about as long again.`),
  )
  if ('missing' in found) return found
  const place = { python: environment.python, jars: found.jars }
  return { ...place, javaOptions: await classArchiveOptions({ ...place, java: version }) }
}
