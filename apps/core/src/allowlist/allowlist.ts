import { Problem, type CVEAllowlistReq } from '@haven/api';

/** The list of the whole installation has this in place of a project's id. */
export const WHOLE_INSTALLATION = 0;

/** Vulnerabilities that do not count, until a time. */
export interface Allowlist {
  readonly items: readonly string[];
  /** Seconds since 1970; undefined is for ever. */
  readonly expiresAt: number | undefined;
}

/**
 * The list that a request asks for.
 *
 * @throws Problem BAD_REQUEST for an id that is empty or comes twice
 */
export function readAllowlist({ items, expires_at: expiresAt }: CVEAllowlistReq): Allowlist {
  const ids = (items ?? []).map((item) => item.cve_id.trim());
  if (ids.includes('')) throw new Problem('BAD_REQUEST', 'cve_allowlist: a cve_id is empty');
  const seen = new Set<string>();
  const twice = ids.find((id) => seen.size === seen.add(id).size);
  if (twice !== undefined) throw new Problem('BAD_REQUEST', `cve_allowlist: ${twice.slice(0, 64)} is listed twice`);
  return { items: ids, expiresAt: expiresAt ?? undefined };
}

/** Whether a project with these settings uses the installation's list instead of its own: so, until it says otherwise. */
export function usesSystemAllowlist(metadata: Readonly<Record<string, unknown>>): boolean {
  return metadata['reuse_sys_cve_allowlist'] !== 'false';
}

/** What the list lets pass at this time: an expired one nothing. */
export function effectiveItems({ items, expiresAt }: Allowlist, now: Date): readonly string[] {
  return expiresAt !== undefined && expiresAt * 1000 <= now.getTime() ? [] : items;
}
