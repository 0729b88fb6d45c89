import { type ChildProcess, spawn } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { GLUE_JOBS, type SparkPlace } from '../../src/local/spark/spark-environment.ts'
import { QUICK_JAVA } from '../support/quick-java.ts'
import { cleanEnvironment } from '../support/service.ts'

export interface PytestPlace {
  readonly spark: SparkPlace
  /** Of a cluster with the template `accounts_template`, as superuser. */
  readonly adminUrl: string
  readonly aws: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  }
}

/** Addresses go by the environment, as `conftest.py` reads them; a profile of the developer's own account is never among them. */
function environment({ spark, adminUrl, aws }: PytestPlace): NodeJS.ProcessEnv {
  const postgres = new URL(adminUrl)
  const given = {
    TEST_POSTGRES_JDBC_URL: `jdbc:postgresql://${postgres.host}${postgres.pathname}`,
    TEST_POSTGRES_USER: decodeURIComponent(postgres.username),
    TEST_POSTGRES_PASSWORD: decodeURIComponent(postgres.password),
    TEST_AWS_ENDPOINT: aws.endpoint,
    AWS_REGION: aws.region,
    AWS_DEFAULT_REGION: aws.region,
    AWS_ACCESS_KEY_ID: aws.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.credentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    ROCKETGAMES_SPARK_JARS: spark.jars.join(':'),
    ROCKETGAMES_SPARK_JAVA_OPTIONS: `${QUICK_JAVA} ${spark.javaOptions}`.trim(),
    ROCKETGAMES_SPARK_CORES: '2',
    TEST_PARENT_PIPE: '3',
    PYSPARK_PYTHON: spark.python,
    PYTHONPATH: GLUE_JOBS,
    PYTHONDONTWRITEBYTECODE: '1',
    // Its checks of settings and folders of its own would be left in the repository.
    HYPOTHESIS_STORAGE_DIRECTORY: path.join(process.env.TMPDIR || '/tmp', 'rocketgames-hypothesis'),
  }
  return cleanEnvironment(given)
}

/**
 * Starts pytest in `glue-jobs`, in a process group of its own so that it ends with its JVM: see `endPytest`. When this process is killed,
 * pytest sees the end of a pipe, which is its descriptor 3, and ends its group itself.
 */
export function startPytest(place: PytestPlace, args: readonly string[], stdio: 'inherit' | 'pipe'): ChildProcess {
  const pytest = spawn(place.spark.python, ['-m', 'pytest', ...args], {
    cwd: GLUE_JOBS,
    env: environment(place),
    stdio: ['ignore', stdio, stdio, 'pipe'],
    detached: true,
  })
  // Other tests, which talk over sockets with time limits, come first.
  if (pytest.pid !== undefined) os.setPriority(pytest.pid, os.constants.priority.PRIORITY_BELOW_NORMAL)
  return pytest
}

/** Ends pytest and everything that it started. */
export function endPytest({ exitCode, pid, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  process.kill(-pid, 'SIGKILL')
}
