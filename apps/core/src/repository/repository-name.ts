import { Problem } from '@haven/api';
import { isRepositoryName } from '@haven/oci';
import type { KnownProject } from '../authorization/known-project.js';

/**
 * The full name of the repository that a path names. Clients encode its slashes twice (`a%252Fb`), because proxies may
 * decode once; both forms arrive here, the first still encoded once.
 *
 * @throws Problem BAD_REQUEST
 */
export function repositoryNameIn(project: KnownProject, parameter: string): string {
  const name = `${project.name}/${decodedOnce(parameter)}`;
  if (!isRepositoryName(name)) throw new Problem('BAD_REQUEST', 'the repository name in the address is not valid; encode its slashes as %252F');
  return name;
}

function decodedOnce(parameter: string): string {
  try {
    return decodeURIComponent(parameter);
  } catch {
    return ''; // a stray percent sign: no name has one
  }
}

/** The repository part of a full name as it stands in a path: with its slashes encoded twice. */
export function repositoryInPath(fullName: string): string {
  return encodeURIComponent(encodeURIComponent(fullName.slice(fullName.indexOf('/') + 1)));
}
