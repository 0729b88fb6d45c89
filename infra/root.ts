import path from 'node:path'

/** The repository: what assets are made of. */
export const ROOT: string = path.resolve(import.meta.dirname, '..')
