import type { Context } from '../../caller.ts'
import type { Database } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { ListRequest, Page } from '../../list.ts'
import type { RecordedEvent } from './audit-event.ts'
import { listAuditEvents } from './audit-list-store.ts'

/** Who did what: reads the trail, which nobody can change. */
export class AuditService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws AppError `invalid-parameter` for an id without the kind of thing that has it: no index leads there */
  list(request: ListRequest, _context: Context): Promise<Page<RecordedEvent>> {
    const asked = (field: string) => request.filters.some((filter) => filter.field === field)
    if (asked('entityId') && !asked('entityType')) {
      const detail = 'needs entityType beside it'
      const errors = [{ parameter: 'entityId', code: 'required', detail }]
      return Promise.reject(new AppError('invalid-parameter', `entityId: ${detail}`, { errors }))
    }
    return listAuditEvents(this.#database.prisma, request)
  }
}
