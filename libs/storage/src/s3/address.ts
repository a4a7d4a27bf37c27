import { readFileSync } from 'node:fs';
import { errorCode } from '../error-code.js';
import { StorageError } from '../storage-error.js';

/** What an `s3://` address says. */
export interface S3Address {
  readonly bucket: string;
  /** Before every key; empty, or ends in `/`. */
  readonly prefix: string;
  readonly host: string;
  /** Undefined for the protocol's own. */
  readonly port: number | undefined;
  readonly secure: boolean;
  readonly region: string;
  /** The bucket is in the path and not in the host name. */
  readonly pathStyle: boolean;
  /** Clients may be sent to the store for blobs. */
  readonly redirect: boolean;
  /** Certificates of authorities to trust besides the well-known ones, in PEM. */
  readonly authorities: string | undefined;
}

const OPTIONS = ['endpoint', 'region', 'path_style', 'redirect', 'ca_file'];

/**
 * Reads `s3://bucket/prefix?endpoint=…&region=…&path_style=true&redirect=true&ca_file=…`. Without an endpoint it is AWS's.
 * @throws StorageError `broken`, naming what is wrong
 */
export function parseS3Address(url: URL): S3Address {
  const bucket = url.hostname;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw refused(`the bucket name ${JSON.stringify(bucket)} is not valid`);
  if (url.username !== '' || url.password !== '') throw refused('keys do not belong in the address; use HAVEN_S3_ACCESS_KEY and HAVEN_S3_SECRET_KEY');
  for (const name of url.searchParams.keys()) {
    if (!OPTIONS.includes(name)) throw refused(`there is no option ${JSON.stringify(name)}; there are ${OPTIONS.join(', ')}`);
    if (url.searchParams.getAll(name).length > 1) throw refused(`the option ${name} is there more than once`);
  }
  const region = url.searchParams.get('region') ?? 'us-east-1';
  if (!/^[a-z0-9-]{1,64}$/.test(region)) throw refused(`the region ${JSON.stringify(region)} is not valid`);
  const endpoint = url.searchParams.get('endpoint');
  return {
    bucket, region, prefix: parsePrefix(url.pathname), ...parseEndpoint(endpoint ?? `https://s3.${region}.amazonaws.com`),
    pathStyle: flag(url, 'path_style', endpoint !== null), redirect: flag(url, 'redirect', false), authorities: readAuthorities(url.searchParams.get('ca_file')),
  };
}

function parsePrefix(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  if (!parts.every((part) => /^[A-Za-z0-9._-]+$/.test(part) && !/^\.+$/.test(part))) throw refused('the prefix may hold letters, digits, ., - and _ between slashes');
  return parts.map((part) => `${part}/`).join('');
}

function parseEndpoint(text: string): Pick<S3Address, 'host' | 'port' | 'secure'> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (!plain || !['http:', 'https:'].includes(url.protocol)) throw refused('the endpoint must look like https://host or http://host:port');
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? undefined : Number(url.port), secure: url.protocol === 'https:' };
}

function flag(url: URL, name: string, otherwise: boolean): boolean {
  const text = url.searchParams.get(name);
  if (text === null) return otherwise;
  if (text !== 'true' && text !== 'false') throw refused(`the option ${name} must be true or false`);
  return text === 'true';
}

function readAuthorities(path: string | null): string | undefined {
  if (path === null) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw refused(`the ca_file ${path} cannot be read (${errorCode(error) ?? 'unknown error'})`);
  }
}

function refused(why: string): StorageError {
  return new StorageError('broken', `The S3 storage address cannot be used: ${why}.`);
}
