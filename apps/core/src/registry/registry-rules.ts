import { X509Certificate } from 'node:crypto';
import { Problem, type RegistryPing, type RegistryReq, type RegistryUpdate } from '@haven/api';
import { urlFault } from '@haven/outbound';
import { isRegistryType, REGISTRY_TYPES, type RegistryType } from './registry-types.js';

const LONGEST_NAME = 64;
const CREDENTIAL_TYPES: readonly string[] = ['', 'basic', 'oauth', 'secret'];

/** What answers have in the place of a secret. */
export const MASK = '*****';

/** Where a registry is and how to talk to it; the secret in clear. */
export interface RegistryAccess {
  readonly type: RegistryType;
  readonly url: string;
  readonly insecure: boolean;
  readonly caCertificate: string;
  readonly credentialType: string;
  readonly accessKey: string;
  readonly accessSecret: string;
}

export interface RegistryDescription extends RegistryAccess {
  readonly name: string;
  readonly description: string;
}

/** @throws Problem BAD_REQUEST saying what to change */
export function newRegistry({ name, description, type, url, insecure, ca_certificate: ca, credential }: RegistryReq): RegistryDescription {
  return checked({
    name: name ?? '', description: description ?? '', type: requiredType(type), url: url ?? '', insecure: insecure ?? false, caCertificate: ca ?? '',
    credentialType: credential?.type ?? '', accessKey: credential?.access_key ?? '', accessSecret: secretIn(credential?.access_secret) ?? '',
  });
}

/**
 * The registry after the change. A secret is only ever sent to the address that it was given for: another address without
 * another secret forgets it.
 *
 * @throws Problem BAD_REQUEST saying what to change
 */
export function changedRegistry(current: RegistryDescription, request: RegistryUpdate): RegistryDescription {
  const { name, description, url, insecure, ca_certificate: ca, credential_type: credentialType, access_key: accessKey, access_secret: secret } = request;
  const changed = { ...current, name: name ?? current.name, description: description ?? current.description, url: (url ?? current.url).replace(/\/+$/, '') };
  const kept = changed.url === current.url ? current.accessSecret : '';
  return checked({
    ...changed, insecure: insecure ?? current.insecure, caCertificate: ca ?? current.caCertificate, credentialType: credentialType ?? current.credentialType,
    accessKey: accessKey ?? current.accessKey, accessSecret: secretIn(secret) ?? kept,
  });
}

/** What a ping talks to: a known registry's own address always, with other credentials when there are some. */
export function pingedRegistry(request: RegistryPing, known: RegistryDescription | undefined): RegistryAccess {
  const { access_key: accessKey, access_secret: secret, credential_type: credentialType } = request;
  const given = (accessKey ?? '') !== '' || secretIn(secret) !== undefined;
  if (known !== undefined && !given) return known;
  const credentials = { credentialType: credentialType ?? '', accessKey: accessKey ?? known?.accessKey ?? '', accessSecret: secretIn(secret) ?? '' };
  if (known !== undefined) return checked({ ...known, ...credentials });
  const { type, url, insecure, ca_certificate: ca } = request;
  return checked({ name: 'ping', description: '', type: requiredType(type), url: url ?? '', insecure: insecure ?? false, caCertificate: ca ?? '', ...credentials });
}

function checked(registry: RegistryDescription): RegistryDescription {
  const { name, caCertificate, credentialType, accessKey, accessSecret } = registry;
  const url = registry.url.replace(/\/+$/, '');
  if (name.trim() === '' || name.length > LONGEST_NAME || /[\p{Cc}\p{Surrogate}]/u.test(name)) throw new Problem('BAD_REQUEST', `name must have 1 to ${LONGEST_NAME} characters, without control characters`);
  const fault = urlFault(url);
  if (fault !== undefined) throw new Problem('BAD_REQUEST', `url cannot be used: ${fault}`);
  if (url.includes('?')) throw new Problem('BAD_REQUEST', 'url must be the address of a registry, without a query');
  if (!CREDENTIAL_TYPES.includes(credentialType)) throw new Problem('BAD_REQUEST', 'the type of the credential must be basic, oauth or secret');
  if (/[\p{Cc}:]/u.test(accessKey)) throw new Problem('BAD_REQUEST', 'access_key must not contain colons or control characters');
  if (/\p{Cc}/u.test(accessSecret)) throw new Problem('BAD_REQUEST', 'access_secret must not contain control characters');
  if (caCertificate !== '' && !isCertificate(caCertificate)) throw new Problem('BAD_REQUEST', 'ca_certificate must be a certificate in PEM form');
  return { ...registry, url };
}

function requiredType(type: string | null | undefined): RegistryType {
  if (type !== undefined && type !== null && isRegistryType(type)) return type;
  throw new Problem('BAD_REQUEST', `type must be one of ${REGISTRY_TYPES.join(', ')}`);
}

/** The mask comes back from clients that send what they read; it is no secret. */
function secretIn(secret: string | null | undefined): string | undefined {
  return secret === MASK ? undefined : (secret ?? undefined);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject.length >= 0;
  } catch {
    return false; // Whatever is wrong with it.
  }
}
