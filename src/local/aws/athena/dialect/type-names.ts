import type { Cursor } from './cursor.ts'
import type { TypeName } from './syntax.ts'

/** `type` of the grammar: names with parameters, row(…), array(…), map(…), timestamp(p) with time zone, `T array`. */
export function parseTypeName(c: Cursor): TypeName {
  let type = parseBase(c)
  while (c.isWord('ARRAY')) {
    c.next()
    type = { name: 'array', parameters: [type] }
  }
  return type
}

function parseBase(c: Cursor): TypeName {
  const token = c.peek()
  if (c.isWord('ROW') && c.isSymbol('(', 1)) return parseRow(c)
  if (c.isWord('INTERVAL')) {
    c.next()
    const from = c.next().text
    c.word('TO')
    return { name: `interval ${from} to ${c.next().text}`.toLowerCase(), parameters: [] }
  }
  if (c.takeWord('DOUBLE', 'PRECISION')) return { name: 'double', parameters: [] }
  let name = c.name().text.toLowerCase()
  const parameters: (number | TypeName)[] = []
  const angle = c.isSymbol('<') && (token.text === 'ARRAY' || token.text === 'MAP')
  if (angle || c.isSymbol('(')) {
    c.next()
    do parameters.push(c.peek().kind === 'integer' ? c.integer() : parseTypeName(c))
    while (c.takeSymbol(','))
    c.symbol(angle ? '>' : ')')
  }
  if (name === 'time' || name === 'timestamp') {
    if (c.takeWord('WITH', 'TIME', 'ZONE')) name += ' with time zone'
    else c.takeWord('WITHOUT', 'TIME', 'ZONE')
  }
  return { name, parameters }
}

function parseRow(c: Cursor): TypeName {
  c.next()
  c.symbol('(')
  const fields: (string | undefined)[] = []
  const parameters = c.list(() => {
    // `x integer` has a name, `integer` has none; `x` alone is a type
    const named = c.isName() && !c.isSymbol(',', 1) && !c.isSymbol(')', 1) && !isTypeStart(c)
    fields.push(named ? nameOf(c) : undefined)
    return parseTypeName(c)
  })
  c.symbol(')')
  return { name: 'row', parameters, fields }
}

function nameOf(c: Cursor): string {
  const name = c.name()
  return name.quoted ? name.text : name.text.toLowerCase()
}

/** Is the word here a type with parameters or a type of several words, and not a field's name? */
function isTypeStart(c: Cursor): boolean {
  if (c.peek().kind === 'quoted') return false
  if (c.isSymbol('(', 1)) return true
  const two = c.peek(1)
  return two.kind === 'word' && ['WITH', 'WITHOUT', 'PRECISION', 'ARRAY'].includes(two.text) && !c.isName(2)
}
