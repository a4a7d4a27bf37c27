import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, rootCertificates, type SecureContext, type TLSSocket } from 'node:tls';
import { DirectoryFault } from './directory-fault.js';
import type { DirectoryServer } from './directory-url.js';
import type { DirectoryAccess } from './ldap-settings.js';

/** ExtendedRequest 1.3.6.1.4.1.1466.20037 with message id 1 (RFC 4511, section 4.14). */
const START_TLS = Buffer.concat([Buffer.from([0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16]), Buffer.from('1.3.6.1.4.1.1466.20037')]);
const LONGEST_ANSWER = 1024;
const HEADER = 2;

/**
 * A connection to one server, protected as the settings say, within their time limit. Passwords may be sent over it.
 *
 * @throws DirectoryFault
 */
export async function openSocket(server: DirectoryServer, access: DirectoryAccess): Promise<Socket> {
  const deadline = AbortSignal.timeout(access.timeoutMs);
  let socket: Socket = connect({ host: server.host, port: server.port, noDelay: true });
  socket.on('error', () => undefined); // reported below, or by the operation that it cuts off
  try {
    await once(socket, 'connect', { signal: deadline });
    if (!server.secure && access.startTls) await askForTls(socket, deadline);
    if (server.secure || access.startTls) socket = await protect(socket, server, access, deadline);
    return socket;
  } catch (error) {
    socket.destroy();
    throw faultOf(error, server, access, deadline.aborted);
  }
}

async function protect(raw: Socket, { host }: DirectoryServer, access: DirectoryAccess, signal: AbortSignal): Promise<TLSSocket> {
  // `host` is what the certificate must be for; names of addresses are not sent (RFC 6066).
  const secured = connectTls({ socket: raw, host, ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }), rejectUnauthorized: access.verify, secureContext: contextOf(access) });
  secured.on('error', () => undefined); // as for the raw socket
  await once(secured, 'secureConnect', { signal });
  return secured;
}

/** Every login connects anew, and reading all authorities takes longer than the rest of it: they are read once for the settings as they are. */
const contexts = new WeakMap<DirectoryAccess, SecureContext>();

function contextOf(access: DirectoryAccess): SecureContext {
  const known = contexts.get(access);
  if (known !== undefined) return known;
  const { authorities } = access;
  const made = createSecureContext({ minVersion: 'TLSv1.2', ...(authorities === '' ? {} : { ca: [...rootCertificates, authorities] }) });
  contexts.set(access, made);
  return made;
}

/** Sends StartTLS. Bytes behind the answer would be taken for the server's although nothing protects them: refused. */
async function askForTls(socket: Socket, signal: AbortSignal): Promise<void> {
  socket.write(START_TLS);
  let answer = Buffer.alloc(0);
  while (answer.length < HEADER || answer.length < wholeLength(answer)) {
    const [chunk] = (await once(socket, 'data', { signal })) as [Buffer];
    answer = Buffer.concat([answer, chunk]);
    if (answer.length > LONGEST_ANSWER) throw new DirectoryFault('garbage', 'the answer to StartTLS is too long');
  }
  socket.removeAllListeners('data');
  socket.pause();
  if (answer.length > wholeLength(answer)) throw new DirectoryFault('garbage', 'there are unprotected bytes behind the answer to StartTLS');
  const code = resultCode(answer);
  if (code === undefined) throw new DirectoryFault('garbage', 'the answer to StartTLS is no LDAP');
  if (code !== 0) throw new DirectoryFault('refused', `the server refuses StartTLS (result code ${code}); use ldaps:// or give the server a certificate`);
}

/** Bytes of the whole message, from its first two; longer forms than any such answer needs are garbage. */
function wholeLength(message: Buffer): number {
  const [tag, length = 0, next = 0] = message;
  if (tag !== 0x30) throw new DirectoryFault('garbage', 'the answer to StartTLS is no LDAP');
  if (length < 0x80) return HEADER + length;
  if (length === 0x81) return HEADER + 1 + next;
  if (length === 0x82) return HEADER + 2 + message.readUInt16BE(Math.min(2, message.length - 2));
  if (length === 0x84) return message.length < 6 ? 6 : 6 + message.readUInt32BE(2);
  throw new DirectoryFault('garbage', 'the answer to StartTLS is no LDAP');
}

/** The result code of an ExtendedResponse to message 1; undefined when it is something else. */
function resultCode(message: Buffer): number | undefined {
  const length = '(?:[0-7].|81..|82.{4}|84.{8})';
  const found = new RegExp(`^30${length}02010178${length}0a01(..)`).exec(message.toString('hex'))?.[1];
  return found === undefined ? undefined : Number.parseInt(found, 16);
}

const CERTIFICATE_FAULTS = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|CRL/;

function faultOf(error: unknown, { name }: DirectoryServer, { timeoutMs }: DirectoryAccess, late: boolean): DirectoryFault {
  if (error instanceof DirectoryFault) return new DirectoryFault(error.kind, `${name}: ${error.message}`, { cause: error });
  if (late) return new DirectoryFault('slow', `${name} did not answer within ${timeoutMs / 1000} s (ldap_timeout)`, { cause: error });
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (CERTIFICATE_FAULTS.test(code)) return new DirectoryFault('certificate', `${name}: its certificate is not trusted: ${message} (${code}); see ldap_ca_certificate and ldap_verify_cert`, { cause: error });
  return new DirectoryFault('unreachable', `${name} cannot be reached: ${message}`, { cause: error });
}
