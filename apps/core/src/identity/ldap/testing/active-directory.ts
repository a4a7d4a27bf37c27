import { readFileSync } from 'node:fs';
import { Attribute, Change, Client, InvalidCredentialsError } from 'ldapts';
import { startDomainController, type DomainController } from './domain-controller.js';

/** The password of everybody in the domain unless changed. */
export const DOMAIN_PASSWORD = 'Directory-Pass-1';
const NORMAL_ACCOUNT = 512;
const TIMEOUT_MS = 30_000;

type Values = Readonly<Record<string, string | readonly string[] | Buffer>>;

/** A real domain with people and groups, which tests change as its administrator would. */
export class ActiveDirectory {
  readonly #client: Client;

  private constructor(readonly controller: DomainController) {
    const tlsOptions = { ca: readFileSync(controller.authority) };
    this.#client = new Client({ url: this.url, timeout: TIMEOUT_MS, tlsOptions });
  }

  /** @param crowd so many people are there beside those whom the test adds; they are in one group, "crowd" in the unit "Crowd" */
  static async start({ crowd = 0 }: { readonly crowd?: number } = {}): Promise<ActiveDirectory> {
    const directory = new ActiveDirectory(await startDomainController(crowd));
    const { administrator, password, baseDn } = directory.controller;
    await directory.#client.bind(administrator, password);
    for (const unit of ['People', 'Groups']) await directory.#client.add(`OU=${unit},${baseDn}`, { objectClass: ['top', 'organizationalUnit'] });
    return directory;
  }

  get url(): string {
    return `ldaps://${this.controller.address}`;
  }

  person(name: string): string {
    return `CN=${name},OU=People,${this.controller.baseDn}`;
  }

  group(name: string, unit = 'Groups'): string {
    return `CN=${name},OU=${unit},${this.controller.baseDn}`;
  }

  /** Makes somebody with the common password, who may log in unless `values` say otherwise. */
  async addPerson(name: string, values: Values = {}): Promise<void> {
    await this.#client.add(this.person(name), attributes({
      objectClass: ['top', 'person', 'organizationalPerson', 'user'], sAMAccountName: name, userPrincipalName: `${name}@haven.test`, mail: `${name}@mail.example`,
      displayName: `${name} of the domain`, userAccountControl: String(NORMAL_ACCOUNT), unicodePwd: encoded(DOMAIN_PASSWORD), ...values,
    }));
  }

  /** Makes a group of these people and groups, named by their DNs. */
  async addGroup(name: string, members: readonly string[] = [], unit?: string): Promise<void> {
    await this.#client.add(this.group(name, unit), attributes({ objectClass: ['top', 'group'], sAMAccountName: name, ...(members.length === 0 ? {} : { member: members }) }));
  }

  async join(group: string, member: string, unit?: string): Promise<void> {
    await this.#modify('add', this.group(group, unit), 'member', member);
  }

  async leave(group: string, member: string): Promise<void> {
    await this.#modify('delete', this.group(group), 'member', member);
  }

  async set(dn: string, attribute: string, value: string): Promise<void> {
    await this.#modify('replace', dn, attribute, value);
  }

  async setPassword(name: string, password: string): Promise<void> {
    await this.#modify('replace', this.person(name), 'unicodePwd', encoded(password));
  }

  /** Gives somebody another name and with it another DN. */
  async rename(name: string, newName: string): Promise<void> {
    await this.#client.modifyDN(this.person(name), `CN=${newName}`);
    await this.set(this.person(newName), 'sAMAccountName', newName);
    await this.set(this.person(newName), 'userPrincipalName', `${newName}@haven.test`);
  }

  /** Moves somebody into another organizational unit, which is made. */
  async move(name: string, unit: string): Promise<void> {
    await this.#client.add(unit, { objectClass: ['top', 'organizationalUnit'] });
    await this.#client.modifyDN(this.person(name), `CN=${name},${unit}`);
  }

  /** Gives the domain a wrong password for somebody so many times. */
  async failLogins(name: string, times: number): Promise<void> {
    const tlsOptions = { ca: readFileSync(this.controller.authority) };
    for (let time = 0; time < times; time += 1) {
      const client = new Client({ url: this.url, timeout: TIMEOUT_MS, tlsOptions });
      await client.bind(this.person(name), 'wrong').catch((error: unknown) => {
        if (!(error instanceof InvalidCredentialsError)) throw error;
      });
      await client.unbind();
    }
  }

  /** The number that the domain gave a group last of all: the end of its SID. */
  async groupNumber(name: string): Promise<string> {
    const { searchEntries: [entry] } = await this.#client.search(this.group(name), { scope: 'base', attributes: ['primaryGroupToken'] });
    return String(entry?.['primaryGroupToken']);
  }

  async stop(): Promise<void> {
    await this.#client.unbind();
    await this.controller.stop();
  }

  async #modify(operation: 'add' | 'delete' | 'replace', dn: string, type: string, value: string | Buffer): Promise<void> {
    const [modification] = attributes({ [type]: value });
    if (modification === undefined) throw new Error('nothing to change');
    await this.#client.modify(dn, new Change({ operation, modification }));
  }
}

/** A password as a domain takes it: in quotation marks, UTF-16 ([MS-ADTS] 3.1.1.3.1.5). */
function encoded(password: string): Buffer {
  return Buffer.from(`"${password}"`, 'utf16le');
}

function attributes(values: Values): Attribute[] {
  return Object.entries(values).map(([type, value]) => {
    if (Buffer.isBuffer(value)) return new Attribute({ type, values: [value] });
    return new Attribute({ type, values: typeof value === 'string' ? [value] : [...value] });
  });
}
