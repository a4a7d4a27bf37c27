import type { RegistryTokenClaims } from '@haven/access';
import { OciError } from '@haven/oci';

/** The project id that the token's rights on a repository were checked against. */
export function projectFor(claims: RegistryTokenClaims, repository: string): number {
  for (const entry of claims.access) if (entry.type === 'repository' && entry.name === repository) return entry.project;
  throw new OciError('UNAUTHORIZED');
}
