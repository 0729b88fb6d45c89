const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const
/** Lists, ranges, steps of numbers or names: what both sides read alike. */
const FIELD = /^(\*|(\d+|[A-Z]{3})(-(\d+|[A-Z]{3}))?)(\/\d+)?(,(\d+|[A-Z]{3})(-(\d+|[A-Z]{3}))?(\/\d+)?)*$/

const dayNumber = (day: string): number => {
  const named = (DAYS as readonly string[]).indexOf(day)
  const number = named >= 0 ? named : Number(day)
  if (!Number.isInteger(number) || number < 0 || number > 7)
    throw new Error(`${JSON.stringify(day)} is no day of the week`)
  return number
}

/** Days of the week by name: 0 and 7 are Sunday in cron, 1 is in EventBridge. */
function weekdays(field: string): string {
  const found = new Set<string>()
  for (const part of field.split(',')) {
    const [days = '', step = '1'] = part.split('/')
    const [first = '', last = part.includes('/') ? 'SAT' : first] = days === '*' ? ['SUN', 'SAT'] : days.split('-')
    const from = dayNumber(first)
    // `FRI-SUN`: Sunday is day 7 at the end of a range.
    const to = last === 'SUN' && from > 0 ? 7 : dayNumber(last)
    for (let day = from; day <= to; day += Number(step)) found.add(DAYS[day % 7] ?? '')
  }
  return DAYS.filter((day) => found.has(day)).join(',')
}

/**
 * The expression of EventBridge Scheduler for a pattern of five fields as LAKE_SCHEDULE has it: minute, hour, day of the month, month,
 * day of the week.
 *
 * @throws Error for a pattern whose two kinds of days are both restricted (cron takes either, EventBridge knows one only), and for
 * anything that is not lists, ranges and steps.
 */
export function schedulerCron(pattern: string): string {
  const fields = pattern.trim().toUpperCase().split(/\s+/)
  const [minute, hour, day, month, weekday] = fields
  if (
    fields.length !== 5 ||
    !minute ||
    !hour ||
    !day ||
    !month ||
    !weekday ||
    !fields.every((each) => FIELD.test(each))
  ) {
    throw new Error(
      `${JSON.stringify(pattern)} is no schedule here: five fields of numbers, names, lists, ranges and steps are, such as "0 2 * * *"`,
    )
  }
  if (day !== '*' && weekday !== '*') {
    throw new Error(`${JSON.stringify(pattern)} names days of the month and of the week: EventBridge knows one of both`)
  }
  const days = weekday === '*' ? `${day} ${month} ?` : `? ${month} ${weekdays(weekday)}`
  return `cron(${minute} ${hour} ${days} *)`
}
