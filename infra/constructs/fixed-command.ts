/**
 * Whoever may start a task of ECS may replace its command and add to its environment; IAM has no condition for that. The entry point they
 * cannot replace, so that is where the word of the command stands, and the settings once more: what was put into the environment
 * meanwhile is overwritten, or taken out.
 */

/** As the image sets them: by PATH programs are found, by NODE_OPTIONS Node.js runs any code. */
const OF_THE_IMAGE = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  NODE_ENV: 'production',
  NODE_OPTIONS: '--max-semi-space-size=16',
} as const

/** Which code runs, whom it trusts, where calls go and who they are from. */
const NEVER = [
  ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'GCONV_PATH', 'OPENSSL_CONF', 'OPENSSL_MODULES', 'OPENSSL_ENGINES'],
  ...['NODE_PATH', 'NODE_EXTRA_CA_CERTS', 'NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_USE_ENV_PROXY', 'NODE_COMPILE_CACHE'],
  ...['NODE_REPL_EXTERNAL_MODULE', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'],
  ...['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL_GLUE', 'AWS_ENDPOINT_URL_ATHENA', 'AWS_ENDPOINT_URL_STS'],
  ...['AWS_CA_BUNDLE', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_PROFILE', 'AWS_DEFAULT_REGION'],
  ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
  ...['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN', 'PGOPTIONS', 'PGSSLMODE', 'DEBUG'],
  ...['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'],
] as const

/** Settings of the program that such a task has by their defaults, or not at all. A test knows if one is missing. */
const BY_DEFAULT = [
  ...['PORT', 'HOST', 'DATABASE_URL', 'DATABASE_POOL', 'DATABASE_WAIT', 'API_KEY_PEPPER', 'CURSOR_KEY'],
  ...['DATABASE_SERVICE_USER', 'DATABASE_SERVICE_PASSWORD', 'DATABASE_EXPORTER_USER', 'DATABASE_EXPORTER_PASSWORD'],
  ...['SHUTDOWN_DELAY', 'SHUTDOWN_GRACE', 'RATE_LIMIT', 'RATE_LIMIT_BULK', 'MAX_STREAMS', 'MAX_STREAMS_PER_KEY'],
  ...['MAX_IN_FLIGHT', 'MAX_CONNECTIONS', 'MIGRATE_AT_START', 'METRICS', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  ...['LOCAL_DATA_DIR', 'LOCAL_AWS_PORT', 'LOCAL_AWS_HOST', 'SAMPLE_DATA', 'ROCKETGAMES_LOCAL', 'FAULT'],
  ...['AWS_ENDPOINT_URL', 'LAKE_KMS_KEY', 'LAKE_CRAWLER', 'LAKE_CRAWLER_ROLE', 'LAKE_PSEUDONYM_KEY_VERSION'],
  ...['LAKE_LEASE_TTL', 'LAKE_RUNNER', 'LAKE_ECS_CLUSTER', 'LAKE_ECS_SNAPSHOT_TASK', 'LAKE_ECS_CARE_TASK'],
  ...['LAKE_ECS_CONTAINER', 'LAKE_ECS_SUBNETS', 'LAKE_ECS_SECURITY_GROUPS', 'LAKE_ENGINE', 'LAKE_SPARK_JOB'],
  ...['LAKE_CODEC', 'LAKE_FILE_TARGET_BYTES', 'LAKE_ROW_GROUP_BYTES', 'LAKE_ROW_GROUP_ROWS', 'LAKE_PART_BYTES'],
  ...['LAKE_PARTS_IN_FLIGHT', 'LAKE_PARALLEL_TABLE_BYTES', 'LAKE_READERS', 'LAKE_SPOOL_DIR', 'LAKE_MAX_SNAPSHOT_AGE'],
  ...['LAKE_PREPARED_TTL', 'LAKE_CRAWLER_WAIT', 'LAKE_RETIRE_GRACE', 'LAKE_KEEP_ALL', 'LAKE_DAILY_DAYS'],
] as const

/**
 * An entry point that runs one command of the program with these settings, whatever the environment is; behind it stand arguments.
 *
 * @param settings all that are no secrets
 */
export function fixedCommand(word: string, settings: Readonly<Record<string, string>>): string[] {
  const pinned = { ...settings, ...OF_THE_IMAGE }
  const removed = [...NEVER, ...BY_DEFAULT].filter((name) => !(name in pinned))
  return [
    ...['/usr/bin/tini', '--', '/usr/bin/env'],
    ...removed.map((name) => `--unset=${name}`),
    ...Object.entries(pinned).map(([name, value]) => `${name}=${value}`),
    ...['node', 'dist/main.js', word],
  ]
}
