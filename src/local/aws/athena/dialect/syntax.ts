/** The syntax tree of a query, as Trino's grammar sees it. Names are as written; comparing them is the reader's part. */

export interface Name {
  readonly text: string
  readonly quoted: boolean
}

export interface TypeName {
  readonly name: string
  readonly parameters: readonly (number | string | TypeName)[]
  /** For row(…): the fields' names, undefined where a field has none. */
  readonly fields?: readonly (string | undefined)[]
}

export interface SortItem {
  readonly key: Expression
  readonly descending: boolean
  readonly nullsFirst: boolean
}

export type FrameBound =
  | { readonly kind: 'unboundedPreceding' | 'unboundedFollowing' | 'current' }
  | { readonly kind: 'preceding' | 'following'; readonly value: Expression }

export interface Frame {
  readonly unit: 'ROWS' | 'RANGE' | 'GROUPS'
  readonly start: FrameBound
  readonly end: FrameBound
}

export interface WindowSpec {
  readonly base?: string
  readonly partitionBy: readonly Expression[]
  readonly orderBy: readonly SortItem[]
  readonly frame?: Frame
}

export type IntervalUnit = 'YEAR' | 'MONTH' | 'WEEK' | 'DAY' | 'HOUR' | 'MINUTE' | 'SECOND'

export interface Call {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expression[]
  readonly distinct: boolean
  readonly star: boolean
  readonly orderBy: readonly SortItem[]
  readonly filter?: Expression
  readonly over?: WindowSpec
  readonly nulls?: 'IGNORE' | 'RESPECT'
  /** listagg: ON OVERFLOW … was written. */
  readonly overflow?: string
}

export interface JsonCall {
  readonly kind: 'jsonCall'
  readonly name: 'json_value' | 'json_query' | 'json_exists'
  readonly input: Expression
  readonly path: string
  readonly passing: boolean
  readonly format: boolean
  readonly returning?: TypeName
  readonly wrapper?: 'WITHOUT' | 'CONDITIONAL' | 'UNCONDITIONAL'
  readonly quotes?: 'KEEP' | 'OMIT'
  readonly onEmpty?: JsonBehaviour
  readonly onError?: JsonBehaviour
}
export interface JsonBehaviour {
  readonly kind: 'NULL' | 'ERROR' | 'EMPTY ARRAY' | 'EMPTY OBJECT' | 'DEFAULT' | 'TRUE' | 'FALSE' | 'UNKNOWN'
  readonly value?: Expression
}

export type Expression =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly form: 'integer' | 'decimal' | 'double'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'binary'; readonly hex: string }
  | { readonly kind: 'typed'; readonly type: TypeName; readonly value: string }
  | {
      readonly kind: 'interval'
      readonly sign: 1 | -1
      readonly value: string
      readonly unit: IntervalUnit
      readonly to?: IntervalUnit
    }
  | { readonly kind: 'column'; readonly name: Name }
  | { readonly kind: 'field'; readonly base: Expression; readonly name: Name }
  | { readonly kind: 'parameter'; readonly index: number }
  | { readonly kind: 'unary'; readonly op: '-' | '+'; readonly value: Expression }
  | {
      readonly kind: 'binaryOp'
      readonly op: '+' | '-' | '*' | '/' | '%' | '||'
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'compare'; readonly op: string; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: 'quantified'
      readonly op: string
      readonly left: Expression
      readonly all: boolean
      readonly query: Query
    }
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Expression[] }
  | { readonly kind: 'not'; readonly value: Expression }
  | { readonly kind: 'between'; readonly value: Expression; readonly low: Expression; readonly high: Expression }
  | { readonly kind: 'in'; readonly value: Expression; readonly list: readonly Expression[] }
  | { readonly kind: 'inQuery'; readonly value: Expression; readonly query: Query }
  | { readonly kind: 'like'; readonly value: Expression; readonly pattern: Expression; readonly escape?: Expression }
  | { readonly kind: 'isNull'; readonly value: Expression }
  | { readonly kind: 'isDistinct'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'exists'; readonly query: Query }
  | { readonly kind: 'subquery'; readonly query: Query }
  | {
      readonly kind: 'case'
      readonly operand?: Expression
      readonly whens: readonly { when: Expression; result: Expression }[]
      readonly otherwise?: Expression
    }
  | { readonly kind: 'cast'; readonly value: Expression; readonly type: TypeName; readonly safe: boolean }
  | { readonly kind: 'atTimeZone'; readonly value: Expression; readonly zone: Expression }
  | { readonly kind: 'extract'; readonly field: string; readonly value: Expression }
  | { readonly kind: 'subscript'; readonly value: Expression; readonly index: Expression }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'row'; readonly items: readonly Expression[] }
  | { readonly kind: 'lambda'; readonly parameters: readonly string[]; readonly body: Expression }
  | { readonly kind: 'grouping'; readonly columns: readonly Expression[] }
  | {
      readonly kind: 'trim'
      readonly side: 'both' | 'leading' | 'trailing'
      readonly value: Expression
      readonly characters?: Expression
    }
  | { readonly kind: 'normalize'; readonly value: Expression; readonly form: string }
  | { readonly kind: 'current'; readonly what: string; readonly precision?: number }
  | JsonCall
  | Call

export type GroupingElement =
  | { readonly kind: 'simple'; readonly keys: readonly Expression[] }
  | { readonly kind: 'rollup' | 'cube'; readonly sets: readonly (readonly Expression[])[] }
  | { readonly kind: 'sets'; readonly sets: readonly (readonly Expression[])[] }

export type SelectItem =
  | { readonly kind: 'expression'; readonly value: Expression; readonly alias?: Name }
  | { readonly kind: 'all' }
  | { readonly kind: 'allOf'; readonly base: Expression; readonly aliases: readonly Name[] }

export type Relation =
  | { readonly kind: 'table'; readonly name: readonly Name[] }
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'lateral'; readonly query: Query }
  | { readonly kind: 'unnest'; readonly items: readonly Expression[]; readonly ordinality: boolean }
  | { readonly kind: 'aliased'; readonly relation: Relation; readonly alias: Name; readonly columns?: readonly Name[] }
  | {
      readonly kind: 'join'
      readonly type: 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | 'CROSS'
      readonly left: Relation
      readonly right: Relation
      readonly on?: Expression
      readonly using?: readonly Name[]
    }
  | { readonly kind: 'sample'; readonly relation: Relation; readonly method: string; readonly percentage: Expression }

export interface Select {
  readonly kind: 'select'
  readonly distinct: boolean
  readonly items: readonly SelectItem[]
  readonly from: readonly Relation[]
  readonly where?: Expression
  readonly groupBy?: { readonly distinct: boolean; readonly elements: readonly GroupingElement[] }
  readonly having?: Expression
  readonly windows: readonly { readonly name: string; readonly spec: WindowSpec }[]
}

export type QueryBody =
  | Select
  | { readonly kind: 'values'; readonly rows: readonly Expression[] }
  | {
      readonly kind: 'setOp'
      readonly op: 'UNION' | 'INTERSECT' | 'EXCEPT'
      readonly all: boolean
      readonly left: QueryBody
      readonly right: QueryBody
    }
  | { readonly kind: 'tableName'; readonly name: readonly Name[] }
  | { readonly kind: 'nested'; readonly query: Query }

export interface CommonTable {
  readonly name: Name
  readonly columns?: readonly Name[]
  readonly query: Query
}

export interface Query {
  readonly recursive: boolean
  readonly with: readonly CommonTable[]
  readonly body: QueryBody
  readonly orderBy: readonly SortItem[]
  readonly offset?: Expression
  /** undefined: no limit; 'all' as written. */
  readonly limit?: Expression
  readonly withTies: boolean
}
