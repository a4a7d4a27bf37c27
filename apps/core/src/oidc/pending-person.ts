import { openSecret, sealSecret } from '@haven/access';
import { z } from 'zod';

/** The cookie that binds the choice of a name to the browser that logged in. */
export const ONBOARDING_COOKIE = 'haven_oidc_onboarding';
/** Seconds in which a name must be chosen. */
export const ONBOARDING_SECONDS = 1800;

const CONTEXT = 'oidc-onboarding';

const Pending = z.object({
  issuer: z.string(), subject: z.string(), suggestedName: z.string(), realname: z.string(), email: z.string(), groups: z.array(z.string()),
  refreshToken: z.string().optional(), idToken: z.string().optional(), returnTo: z.string(),
});

/** Somebody whom the provider vouches for, with what the login brought and where it leads. */
export type PendingPerson = z.infer<typeof Pending>;

export function sealPerson(key: Uint8Array, person: PendingPerson): string {
  return sealSecret(key, JSON.stringify(person), CONTEXT);
}

/** @throws SealedSecretError when it was sealed under another key */
export function openPerson(key: Uint8Array, sealed: string): PendingPerson {
  return Pending.parse(JSON.parse(openSecret(key, sealed, CONTEXT)));
}
