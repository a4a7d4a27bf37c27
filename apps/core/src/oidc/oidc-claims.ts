import { ProviderError } from './provider-connection.js';

/** What a provider says about somebody: the claims of the ID token, and of the userinfo endpoint when that was asked. */
export type Claims = Readonly<Record<string, unknown>>;

/** The names of claims that settings choose; '' where they do not. */
export interface ClaimNames {
  /** oidc_user_claim */
  readonly username: string;
  /** oidc_groups_claim */
  readonly groups: string;
}

/** Somebody as the provider describes them; who they are is the pair of issuer and subject alone. */
export interface OidcPerson {
  readonly issuer: string;
  readonly subject: string;
  /** What they might be called here; '' when the provider does not say. */
  readonly suggestedName: string;
  readonly realname: string;
  readonly email: string;
  readonly groups: readonly string[];
}

const LONGEST_SUBJECT = 255;
const LONGEST_TEXT = 255;
/** More groups than anybody is in; a provider that sends more is misconfigured, and cutting them off would decide about rights. */
const MOST_GROUPS = 2000;

/** Whether the ID token lacks what the settings ask for, so that the userinfo endpoint has to say it. */
export function needsUserinfo(idToken: Claims, names: ClaimNames): boolean {
  const wanted = [names.username === '' ? 'name' : names.username, 'email', ...(names.groups === '' ? [] : [names.groups])];
  return wanted.some((name) => idToken[name] === undefined);
}

/**
 * Reads what a provider says. Of the claims that both have, those of the userinfo endpoint are newer.
 *
 * @throws ProviderError for claims that do not have their form: nothing is made out of half an answer
 */
export function personOf(idToken: Claims, userinfo: Claims, names: ClaimNames): OidcPerson {
  const { iss: issuer, sub: subject } = idToken;
  if (typeof issuer !== 'string' || typeof subject !== 'string' || subject === '' || subject.length > LONGEST_SUBJECT || subject.includes('\0')) {
    throw new ProviderError('the ID token has no subject (sub) of 1 to 255 characters');
  }
  const all = { ...idToken, ...userinfo };
  return {
    issuer, subject,
    suggestedName: suggestedName(all, names.username),
    realname: plainText(all['name']).replace(/[,"~#%$]/g, ' ').trim(),
    email: all['email_verified'] === false ? '' : plainText(all['email']),
    groups: names.groups === '' ? [] : groupsOf(all[names.groups], names.groups),
  };
}

/** Harbor's rule: the claim that oidc_user_claim names, and nothing else, or else the person's name. */
function suggestedName(claims: Claims, claim: string): string {
  if (claim !== '' && typeof claims[claim] !== 'string') throw new ProviderError(`the provider does not say the claim that oidc_user_claim names ("${claim}") as text`);
  const name = claim === '' ? claims['name'] ?? claims['preferred_username'] : claims[claim];
  return typeof name === 'string' ? name.trim().replace(/[ ,]/g, '_') : '';
}

function groupsOf(value: unknown, claim: string): string[] {
  const names = value === undefined || value === null ? [] : typeof value === 'string' ? [value] : value;
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) throw new ProviderError(`the claim that oidc_groups_claim names ("${claim}") is neither text nor a list of texts`);
  const groups = [...new Set((names as string[]).filter(isGroupName))];
  if (groups.length > MOST_GROUPS) throw new ProviderError(`somebody is in ${groups.length} groups; let the provider send at most ${MOST_GROUPS}`);
  return groups;
}

/** What can be the name of a group here at all; the others can have no role. */
function isGroupName(name: string): boolean {
  return name !== '' && name.trim() === name && name.length <= LONGEST_TEXT && !/\p{Cc}/u.test(name);
}

function plainText(value: unknown): string {
  return typeof value === 'string' && value.length <= LONGEST_TEXT ? value.replace(/\p{Cc}/gu, '').trim() : '';
}
