/** Systems beside this one that can keep accounts. */
export type ExternalSource = 'ldap' | 'oidc' | 'http';

/** A group as the system that keeps it calls it. */
export interface ExternalGroup {
  readonly name: string;
  /** Its distinguished name; every group of a directory has one, no other does. */
  readonly dn?: string;
}

/** A person as the system that keeps the account describes them now. */
export interface ExternalUser {
  readonly source: ExternalSource;
  /** What never changes and is never given to somebody else: entryUUID, objectGUID, issuer and subject. Never the name. */
  readonly externalId: string;
  /** What the account is to be called here; commas become underscores. */
  readonly username: string;
  readonly realname: string;
  /** '' when there is none. */
  readonly email: string;
  readonly groups: readonly ExternalGroup[];
  /** Whether that system makes the person a system administrator. */
  readonly admin: boolean;
  /** Where the entry was found: the DN; undefined for systems without places. */
  readonly place?: string;
}
