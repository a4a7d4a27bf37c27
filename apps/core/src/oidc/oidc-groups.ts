import type { Configuration } from '@haven/api';
import { compilePattern, type Pattern } from '@haven/policy';
import type { ClaimNames } from './oidc-claims.js';

/** What the groups of somebody mean, as the settings have it. */
export interface GroupDecision {
  /** False: the person may not log in at all. */
  readonly allowed: boolean;
  /** In oidc_admin_group. */
  readonly administrator: boolean;
  /** The groups that count here: those that oidc_group_filter lets through. */
  readonly groups: readonly string[];
}

export type GroupSettings = Pick<Configuration, 'oidc_admin_group' | 'oidc_group_filter' | 'oidc_login_groups'>;

/**
 * Decides before anything is stored: who may not log in leaves nothing behind. The filter hides no group from the two decisions about the person.
 *
 * @throws Error for a filter that an earlier version took and this one does not know: nobody gets groups by a guess
 */
export function decideOnGroups(groups: readonly string[], settings: GroupSettings): GroupDecision {
  const { oidc_admin_group: adminGroup, oidc_group_filter: filter, oidc_login_groups: loginGroups } = settings;
  const allowedIn = loginGroups.split(',').map((name) => name.trim()).filter((name) => name !== '');
  const isKept = filter === '' ? undefined : groupFilter(filter);
  return {
    allowed: allowedIn.length === 0 || groups.some((name) => allowedIn.includes(name)),
    administrator: adminGroup !== '' && groups.includes(adminGroup),
    groups: isKept === undefined ? groups : groups.filter(isKept),
  };
}

function groupFilter(filter: string): Pattern {
  try {
    return compilePattern(filter);
  } catch (error) {
    throw new Error('oidc_group_filter cannot be used: set another one, or none', { cause: error });
  }
}

/** The claims that the settings name. `nameIsKnown`: the account has its name already, so no claim has to give one. */
export function claimNamesOf({ oidc_user_claim: username, oidc_groups_claim: groups }: Pick<Configuration, 'oidc_user_claim' | 'oidc_groups_claim'>, { nameIsKnown = false } = {}): ClaimNames {
  return { username: nameIsKnown ? '' : username, groups };
}
