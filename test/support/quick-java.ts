import { counted } from './counts.ts'

/** A few rows are sooner interpreted than compiled: neither whole stages nor single expressions become classes. */
const INTERPRETED = '-Dspark.sql.codegen.wholeStage=false -Dspark.sql.codegen.factoryMode=NO_CODEGEN'

/**
 * For a Java that lives for seconds: its second compiler costs more than it saves, and so does Spark's compilation of plans, which the
 * proof has, and `npm start`'s own test. With one compiler alone its code would get 48 MB, which all of pytest has swept again and again.
 */
export const QUICK_JAVA =
  `-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=160m -XX:+UseSerialGC ${counted(1, 0) ? INTERPRETED : ''}`.trim()
