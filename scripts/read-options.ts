import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { UsageError } from '../src/errors.ts'

/** An option of a program of this repository: as `parseArgs` takes it, and what it is for. */
export interface ProgramOption {
  readonly type: 'string' | 'boolean'
  readonly default?: string | boolean
  readonly help: string
  /** It is a whole number, not less than this. */
  readonly least?: number
  /** It is a number above this. */
  readonly above?: number
  /** It is some of these, with commas between them. */
  readonly among?: readonly string[]
}

export type ProgramOptions = ParseArgsOptionsConfig & Readonly<Record<string, ProgramOption>>

export type OptionValues<Options extends ProgramOptions> = ReturnType<
  typeof parseArgs<{ options: Options; allowNegative: true }>
>['values']

function refusal(name: string, { least, above, among }: ProgramOption, value: unknown): string | undefined {
  const text = String(value)
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (least !== undefined && !(Number.isSafeInteger(number) && number >= least))
    return `--${name} is a whole number of at least ${least}`
  if (above !== undefined && !(Number.isFinite(number) && number > above)) return `--${name} is a number above ${above}`
  if (among !== undefined && !text.split(',').every((each) => among.includes(each)))
    return `--${name} is one of ${among.join(', ')}, or several with commas between them`
  return undefined
}

/** @throws UsageError for an option that is not there or cannot be what it is, and for words that are no options */
export function parseOptions<Options extends ProgramOptions>(
  options: Options,
  given: readonly string[],
): OptionValues<Options> {
  let values: OptionValues<Options>
  try {
    values = parseArgs({ args: [...given], options, allowNegative: true }).values
  } catch (error) {
    // Node's own sentence, without its advice on how to begin words with a dash.
    throw new UsageError((error as Error).message.split('. ')[0] ?? '')
  }
  for (const [name, value] of Object.entries(values)) {
    const why = value === undefined ? undefined : refusal(name, options[name] as ProgramOption, value)
    if (why !== undefined) throw new UsageError(why)
  }
  return values
}

export function helpText(usage: string, about: string, options: ProgramOptions): string {
  const rows = Object.entries(options).map(([name, { type, default: usual, help }]): readonly [string, string] => {
    const shown = usual === true ? `--no-${name}` : `--${name}${type === 'string' ? ' …' : ''}`
    return [shown, typeof usual === 'string' && usual !== '' ? `${help} (default ${usual})` : help]
  })
  const width = Math.max(...rows.map(([shown]) => shown.length)) + 2
  const lines = rows.map(([shown, help]) => `  ${shown.padEnd(width)}${help}`)
  return [`Usage: ${usage}`, '', about, ...(lines.length > 0 ? ['', ...lines] : []), ''].join('\n')
}

/** What a program says of itself. */
export interface ProgramUsage {
  /** How it is started. */
  readonly usage: string
  readonly about: string
}

/**
 * The options that a program was given. With `--help` it shows them and ends; what it cannot use it names, and ends with exit code 2.
 */
export function readOptions<Options extends ProgramOptions>(
  { usage, about, options }: ProgramUsage & { readonly options: Options },
  given: readonly string[],
): OptionValues<Options> {
  const help = helpText(usage, about, options)
  if (given.includes('--help') || given.includes('-h')) {
    process.stdout.write(help)
    process.exit(0)
  }
  try {
    return parseOptions(options, given)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n\n${help}`)
    process.exit(2)
  }
}

/** The same for a program that takes a folder, or none. */
export function readFolder(program: ProgramUsage, given: readonly string[]): string | undefined {
  const isFolder = given.length === 1 && !given[0]?.startsWith('-')
  if (!isFolder) readOptions({ ...program, options: {} }, given)
  return given[0]
}
