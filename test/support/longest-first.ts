import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * From the longest kind on: all the Python there is in one file, which also makes the environment of Spark where there is none;
 * whole programs; last of them those with Spark, which wait for that environment.
 */
const LONG = [
  /\/python-tests\./,
  /^(?!.*\/(glue-jobs|spark|start\.)).*\.e2e\./,
  /\.e2e\./,
  /\/(glue-jobs|spark|soak)\//,
]

/**
 * Files that start whole programs come first, so that at the end no worker is left alone with one of them. Vitest itself knows how
 * long a file takes only where there was a run before; else it goes by the length of the text.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = LONG.findIndex((pattern) => pattern.test(moduleId))
      return found === -1 ? LONG.length : found
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
