import { counted } from './counts.ts'

/**
 * For a Java that lives for seconds: its second compiler costs more than it saves, and so does Spark's compilation of whole stages,
 * which the proof has.
 */
export const QUICK_JAVA = `-XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${counted(1, 0) ? '-Dspark.sql.codegen.wholeStage=false' : ''}`
