import { jsonBody } from '../http/body.ts'
import { type RouteGroup, route } from '../http/route.ts'
import type { JobSubmitter } from '../jobs/job.ts'
import { jobAccepted } from '../jobs/job-presenter.ts'
import { jobSchema } from '../jobs/job-schema.ts'
import type { ExportLists } from './export-list.ts'
import { prepareExport } from './export-request.ts'
import { exportRequestSchema } from './export-schema.ts'

export function exportRoutes(lists: ExportLists, jobs: JobSubmitter): RouteGroup {
  return {
    routes: [
      route({
        operation: 'createExport',
        method: 'post',
        path: '/v1/exports',
        tag: 'exports',
        summary: 'Export a list of any length as a job',
        description:
          'The result of the job is a manifest of parts; each is a whole NDJSON or CSV export with an end line, all of them from one ' +
          'snapshot. A list that fits into one connection is read faster at its own address with Accept: application/x-ndjson or ' +
          'text/csv. Needs the read scope of the resource, too.',
        access: ['exports:read'],
        body: jsonBody(exportRequestSchema),
        answers: {
          202: {
            description: 'The job',
            schema: jobSchema,
            headers: { Location: 'Where the job is', 'Retry-After': 'Seconds until it is worth asking' },
          },
        },
        problems: ['quota-exceeded'],
        async handle({ body, context }) {
          await prepareExport(lists, body, context)
          return jobAccepted(await jobs.submit('export', body, context), context)
        },
      }),
    ],
  }
}
