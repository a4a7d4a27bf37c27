import type { Configuration } from '@haven/api';
import { compilePattern, type Pattern } from '@haven/policy';
import type { ClaimNames } from './oidc-claims.js';

/** What the groups of somebody who may log in mean, as the settings have it. */
export interface GroupDecision {
  /** In oidc_admin_group. */
  readonly administrator: boolean;
  /** The groups that count here: those that oidc_group_filter lets through. */
  readonly groups: readonly string[];
}

/** Whether one of the groups may log in; any may while nobody named some. Ask before anything is stored: who may not leaves nothing behind. */
export function mayLogIn(groups: readonly string[], { oidc_login_groups: loginGroups }: Pick<Configuration, 'oidc_login_groups'>): boolean {
  const allowedIn = loginGroups.split(',').map((name) => name.trim()).filter((name) => name !== '');
  return allowedIn.length === 0 || groups.some((name) => allowedIn.includes(name));
}

/**
 * The filter hides no group from the decision about the person.
 *
 * @throws Error as requireUsableFilter
 */
export function decideOnGroups(groups: readonly string[], settings: Pick<Configuration, 'oidc_admin_group' | 'oidc_group_filter'>): GroupDecision {
  const { oidc_admin_group: adminGroup } = settings;
  return { administrator: adminGroup !== '' && groups.includes(adminGroup), groups: groups.filter(groupFilter(settings)) };
}

/**
 * To be asked before a refresh token is used up for groups that could not be kept.
 *
 * @throws Error for a filter that an earlier version took and this one does not know: nobody gets groups by a guess
 */
export function requireUsableFilter(settings: Pick<Configuration, 'oidc_group_filter'>): void {
  groupFilter(settings);
}

function groupFilter({ oidc_group_filter: filter }: Pick<Configuration, 'oidc_group_filter'>): Pattern {
  try {
    return filter === '' ? () => true : compilePattern(filter);
  } catch (error) {
    throw new Error('oidc_group_filter cannot be used: set another one, or none', { cause: error });
  }
}

/** The claims that the settings name. `nameIsKnown`: the account has its name already, so no claim has to give one. */
export function claimNamesOf({ oidc_user_claim: username, oidc_groups_claim: groups }: Pick<Configuration, 'oidc_user_claim' | 'oidc_groups_claim'>, { nameIsKnown = false } = {}): ClaimNames {
  return { username: nameIsKnown ? '' : username, groups };
}
