import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const PROGRAM = resolve(import.meta.dirname, '../../../../../../tools/test-services/samba.mjs');
const START_MS = 120_000;

/** Where a domain controller listens, and who may change everything there. */
export interface DomainController {
  /** An address that its certificate names. */
  readonly address: string;
  /** Another address of the same server, which its certificate does not name. */
  readonly unnamedAddress: string;
  readonly baseDn: string;
  /** A DN. */
  readonly administrator: string;
  readonly password: string;
  /** Path of the certificate, in PEM form, of the authority that signed the server's. */
  readonly authority: string;
  stop(): Promise<void>;
}

type Facts = Omit<DomainController, 'stop'>;

/** Why no domain controller can be started on this machine; undefined when one can be. Installs what is missing, as root on Debian. */
export async function domainControllerObstacle(): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, 'check']);
  return (JSON.parse(stdout) as { readonly obstacle?: string }).obstacle;
}

/**
 * Starts a domain controller (tools/test-services/samba.mjs), which ends with this process at the latest.
 *
 * @param crowd so many accounts are in OU=Crowd, and in the group CN=crowd there
 */
export async function startDomainController(crowd: number): Promise<DomainController> {
  const child = spawn(process.execPath, [PROGRAM, String(crowd)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const complaints: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  const closed = once(child, 'close');
  const late = setTimeout(() => child.kill('SIGTERM'), START_MS);
  const line = once(createInterface(child.stdout), 'line').then(([text]) => String(text));
  const first = await Promise.race([line, closed.then(() => undefined)]);
  clearTimeout(late);
  if (first === undefined) throw new Error(`the domain controller did not start: ${complaints.join('')}`);
  return { ...(JSON.parse(first) as Facts), stop: () => stopped(child, closed) };
}

async function stopped(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  child.stdin?.end();
  await closed;
}
