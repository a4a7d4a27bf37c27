import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

const DAY_MS = 24 * 60 * 60_000;

/** Just enough DER (X.690) to write a certificate (RFC 5280) for a test. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const ECDSA_SHA256 = sequence(objectId('2a8648ce3d040302'));
const utcTime = (time: number): Buffer => der(0x17, Buffer.from(`${new Date(time).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));
const distinguishedName = (name: string): Buffer => sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(name)))));
const subjectName = (name: string): Buffer => (isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)));

/** PEM. */
export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
}

/**
 * For tests: a certificate that nobody has a reason to trust, signed by its own key.
 *
 * @param name a host name or an IPv4 address
 * @param expired its only day was the day before yesterday; otherwise its day has just begun
 */
export function selfSigned(name: string, { expired = false }: { readonly expired?: boolean } = {}): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const from = Date.now() - (expired ? 3 * DAY_MS : 60_000);
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), der(0x02, Buffer.from([1, ...randomBytes(8)])), ECDSA_SHA256, distinguishedName(name),
    sequence(utcTime(from), utcTime(from + DAY_MS)), distinguishedName(name), publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(objectId('551d11'), der(0x04, sequence(subjectName(name)))))),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = sequence(toBeSigned, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return { cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
