import type { JsonOperation } from '../../ports.ts'
import { lowerName, notFound, oneOf, operation, text } from '../request.ts'
import type { CatalogueStore } from '../store/catalogue-store.ts'
import { findDatabase } from './find.ts'

const FUNCTION_TYPES = ['REGULAR_FUNCTION', 'AGGREGATE_FUNCTION', 'STORED_PROCEDURE'] as const

/**
 * GetUserDefinedFunctions and GetUserDefinedFunction: Hive's client, and so Spark, lists all functions when a session begins. None can
 * be created here, so there are none.
 */
export function functionOperations(store: CatalogueStore): Record<string, JsonOperation> {
  return {
    GetUserDefinedFunctions: operation(
      { required: ['Pattern'], optional: ['DatabaseName', 'FunctionType', 'NextToken', 'MaxResults'] },
      (input) => {
        text(input, 'Pattern')
        oneOf(input, 'FunctionType', FUNCTION_TYPES)
        if (input.DatabaseName) findDatabase(store, lowerName(input, 'DatabaseName'))
        return { UserDefinedFunctions: [] }
      },
    ),
    GetUserDefinedFunction: operation({ required: ['DatabaseName', 'FunctionName'] }, (input) => {
      findDatabase(store, lowerName(input, 'DatabaseName'))
      throw notFound(`Function ${text(input, 'FunctionName')} not found.`)
    }),
  }
}
