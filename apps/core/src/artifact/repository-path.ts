import type { KnownProject } from '../authorization/known-project.js';

/** The repository that a path names, with its project. */
export interface RepositoryPath {
  readonly project: KnownProject;
  /** With its project's name. */
  readonly name: string;
}

/** A repository that is there. */
export interface OpenRepository extends RepositoryPath {
  readonly id: number;
}

/** The address of something below what a request names, for Location: its own path, as the client wrote it, and the name. */
export function pathBelow(request: { readonly url: string }, name: string): string {
  return `${(request.url.split('?', 1)[0] ?? '').replace(/\/$/, '')}/${name}`;
}
