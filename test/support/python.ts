import {
  pythonEnvironment as findEnvironment,
  type PythonEnvironment,
  type PythonWanted,
} from '../../src/local/spark/python-environment.ts'
import {
  gluePython as findGluePython,
  sparkEnvironment as findSpark,
  type SparkEnvironment,
} from '../../src/local/spark/spark-environment.ts'

/** With `CI=true` nothing may be skipped. */
function required<T extends object>(found: T | { readonly missing: string }): T | { readonly missing: string } {
  if ('missing' in found && process.env.CI === 'true') throw new Error(found.missing)
  return found
}

/**
 * A virtual environment with exactly these packages, made once below the git-ignored `.venv` and kept.
 *
 * @param requirements exact pins, `name==version`, or a file of them with hashes.
 * @returns `missing` names what the machine lacks, for a test that skips visibly.
 * @throws with `CI=true` in place of `missing`.
 */
export async function pythonEnvironment(
  name: string,
  requirements: PythonWanted['requirements'],
): Promise<PythonEnvironment> {
  return required(await findEnvironment({ name, requirements }))
}

/** The environment of the Spark jobs, which has PyArrow too; Java is not asked for. */
export async function gluePython(): Promise<PythonEnvironment> {
  return required(await findGluePython())
}

/** The environment of the Spark jobs. @throws with `CI=true` in place of `missing`. */
export async function sparkEnvironment(): Promise<SparkEnvironment> {
  return required(await findSpark())
}
