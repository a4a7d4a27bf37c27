/** A project role, by its name in Harbor's API. */
export type Role = 'projectAdmin' | 'maintainer' | 'developer' | 'guest' | 'limitedGuest';

/** Every role, strongest first, with its number in Harbor's API and in the database. */
const ROLE_NUMBERS: readonly (readonly [Role, number])[] = [
  ['projectAdmin', 1],
  ['maintainer', 4],
  ['developer', 2],
  ['guest', 3],
  ['limitedGuest', 5],
];

/** Every role, strongest first. */
export const ROLES: readonly Role[] = ROLE_NUMBERS.map(([role]) => role);

/** The role's number in Harbor's API (`role_id`). */
export function roleNumber(role: Role): number {
  const entry = ROLE_NUMBERS.find(([name]) => name === role);
  if (entry === undefined) throw new RangeError(`There is no role ${JSON.stringify(role)}.`);
  return entry[1];
}

/** The role with this number, or `undefined` when there is none. */
export function roleFromNumber(number: number): Role | undefined {
  return ROLE_NUMBERS.find(([, candidate]) => candidate === number)?.[0];
}

/** The strongest of these roles: what Harbor's API shows as `current_user_role_id`. */
export function strongestRole(roles: Iterable<Role>): Role | undefined {
  const held = new Set(roles);
  return ROLES.find((role) => held.has(role));
}
